"""Which groups may still be committed, by what happened since the plan."""

from dataclasses import replace

import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.domains.maintenance.conflicts import judge, may_name
from dp_assets.domains.maintenance.heads import Head, Placed
from dp_assets.ports.closure import LiveEntry
from dp_assets_tests.domains.maintenance.compactions import (
    OTHER,
    data,
    equality,
    group,
    head,
    plan,
    positions,
    rewritten,
    vector,
)

A, B = data("/a"), data("/b", number=4)
OLD = vector("/v1", "/a")


def names_a(_delete: LiveEntry) -> tuple[str, ...]:
    return ("/a",)


def names_nothing_of_ours(_delete: LiveEntry) -> tuple[str, ...]:
    return ("/z",)


def unreadable(delete: LiveEntry) -> tuple[str, ...]:
    raise PermanentError(f"{delete.path} is damaged", hint="")


def numbered(placed: Placed, **numbers: int | None) -> Placed:
    return replace(placed, entry=replace(placed.entry, **numbers))


def reasons(now: Head, *, named=names_a, deletes=(), version: int = 2) -> list[str]:
    """Of the one group of A and B."""
    planned = group(A, B, deletes=deletes)
    verdict = judge(plan(planned, version=version), [rewritten(planned, "/n")], now, named=named)
    assert len(verdict.groups) + len(verdict.dropped) == 1
    return [dropped.reason for dropped in verdict.dropped]


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(head(A, B), id="nothing"),
        pytest.param(head(A, B, data("/c", number=8)), id="append"),
        pytest.param(head(A, B, equality("/e", number=8)), id="newer-equality-delete"),
        pytest.param(head(A, B, positions("/d", number=5)), id="delete-not-newer-than-the-plan"),
        pytest.param(
            head(A, B, positions("/d", number=8, lower=b"/c")), id="delete-with-bounds-above"
        ),
        pytest.param(head(A, B, positions("/d", number=8, referenced="/c")), id="about-another"),
        pytest.param(head(A, B, vector("/v", "/c", number=8)), id="vector-of-another-file"),
    ],
)
def test_what_is_no_conflict(now: Head):
    assert reasons(now) == []


def test_a_delete_that_only_its_bounds_suggest_is_no_conflict():
    now = head(A, B, positions("/d", number=8, lower=b"/", upper=b"/zz"))
    assert reasons(now, named=names_nothing_of_ours) == []


@pytest.mark.parametrize(
    ("now", "why"),
    [
        pytest.param(head(A), "is gone: /b", id="gone"),
        pytest.param(head(A, numbered(B, sequence_number=8)), "added again", id="other-number"),
        pytest.param(
            head(A, numbered(B, file_sequence_number=8)), "added again", id="other-file-number"
        ),
        pytest.param(
            head(A, data("/b", number=4, partition=OTHER)), "another partition", id="partition"
        ),
        pytest.param(
            head(A, data("/b", number=4, spec=1)), "another partition", id="spec-of-the-file"
        ),
        pytest.param(head(A, numbered(B, first_row_id=7)), "other ids", id="row-ids"),
        pytest.param(head(A, B, positions("/d", number=6)), "position delete", id="delete"),
        pytest.param(
            head(A, B, positions("/d", number=6, partition=OTHER)),
            "position delete",
            id="delete-said-to-be-of-another-partition",
        ),
        pytest.param(
            head(A, B, positions("/d", number=6, referenced="/a")), "position delete", id="one-file"
        ),
        pytest.param(head(A, B, vector("/v", "/a")), "deletion vector", id="vector"),
        pytest.param(head(A, B, uuid="other"), "made anew", id="other-table"),
        pytest.param(head(A, B, format_version=3), "format version 3", id="upgrade"),
        pytest.param(head(A, B, ancestors=frozenset({9, 1})), "no ancestor", id="rollback"),
    ],
)
def test_what_is_a_conflict(now: Head, why: str):
    (reason,) = reasons(now)
    assert why in reason


def test_a_spec_that_was_removed_is_a_conflict():
    planned = group(data("/a", spec=7), spec=7)
    now = head(data("/a", spec=7))
    verdict = judge(plan(planned), [rewritten(planned, "/n")], now, named=names_a)
    assert "spec 7 was removed" in verdict.dropped[0].reason


def test_a_newer_delete_that_cannot_be_read_is_a_conflict():
    now = head(A, B, positions("/d"))
    assert "cannot be read: /d is damaged" in reasons(now, named=unreadable)[0]


@pytest.mark.parametrize(
    ("now", "dropped"),
    [
        pytest.param(OLD, False, id="the-same"),
        pytest.param(vector("/v2", "/a"), True, id="another-file"),
        pytest.param(vector("/v1", "/a", offset=50), True, id="another-place"),
        pytest.param(vector("/v1", "/a", number=6), True, id="another-number"),
        pytest.param(None, True, id="gone"),
    ],
)
def test_vectors_must_be_those_of_the_plan(now: Placed | None, dropped: bool):
    live = (A, B) if now is None else (A, B, now)
    found = reasons(head(*live), deletes=[OLD])
    assert [("vector" in reason) for reason in found] == [True] * dropped


def test_numbers_mean_nothing_in_version_1():
    now = head(*(numbered(f, sequence_number=0, file_sequence_number=0) for f in (A, B)))
    assert reasons(replace(now, format_version=1), version=1) == []


def test_groups_do_not_wait_for_each_other():
    one, two = group(A), group(B)
    given = [rewritten(one, "/n1"), rewritten(two, "/n2")]
    verdict = judge(plan(one, two), given, head(A, B, positions("/d")), named=names_a)
    assert verdict.groups == (given[1],)
    assert [dropped.rewritten for dropped in verdict.dropped] == [given[0]]


def test_a_file_is_replaced_once():
    one, two = group(A, B), group(B)
    verdict = judge(
        plan(one, two), [rewritten(one, "/1"), rewritten(two, "/2")], head(A, B), named=names_a
    )
    assert [dropped.reason for dropped in verdict.dropped] == ["a file is in two groups"]


@pytest.mark.parametrize(
    ("lower", "upper", "may"),
    [
        pytest.param(b"/t/a", b"/t/z", True, id="inside"),
        pytest.param(b"/t/n", None, False, id="below"),
        pytest.param(None, b"/t/l", False, id="above"),
        pytest.param(None, b"/t/m", True, id="upper-is-cut"),
        pytest.param(None, None, True, id="none"),
    ],
)
def test_bounds_are_a_filter(lower: bytes | None, upper: bytes | None, may: bool):
    delete = positions("/d", lower=lower, upper=upper).entry
    assert may_name(delete, "/t/m.parquet") is may
