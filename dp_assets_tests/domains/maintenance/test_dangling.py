"""Which deletes nothing needs after a compaction, and which bring rows back when they go."""

import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.domains.maintenance.dangling import dangling
from dp_assets.domains.maintenance.heads import Head
from dp_assets.ports.closure import LiveEntry
from dp_assets.ports.live_files import scope
from dp_assets_tests.domains.maintenance.compactions import (
    OTHER,
    PART,
    PLANNED,
    data,
    equality,
    head,
    positions,
    vector,
)

A, B, FAR = data("/a"), data("/b"), data("/far", partition=OTHER)
NAMED = {"/of-a": ("/a",), "/of-both": ("/a", "/b"), "/of-far": ("/far",)}


def named(delete: LiveEntry) -> tuple[str, ...]:
    if delete.path not in NAMED:
        raise PermanentError(f"{delete.path} is damaged", hint="")
    return NAMED[delete.path]


def gone_with_a(now: Head) -> list[str]:
    """When a is replaced by a file with the number of the plan."""
    added = [(scope(0, PART), PLANNED)]
    return [p.entry.path for p in dangling(now, gone={"/a"}, added=added, named=named)]


@pytest.mark.parametrize(
    ("now", "goes"),
    [
        pytest.param(head(A, B, positions("/of-a")), True, id="position"),
        pytest.param(head(A, B, positions("/of-both")), False, id="position-of-a-live-file"),
        pytest.param(head(A, positions("/of-both")), True, id="position-of-files-that-are-gone"),
        pytest.param(head(A, B, positions("/damaged")), False, id="position-unreadable"),
        pytest.param(
            head(A, FAR, positions("/of-a", partition=OTHER)), False, id="position-elsewhere"
        ),
        pytest.param(
            head(A, B, positions("/of-a", lower=b"/b")), False, id="position-not-read-for-bounds"
        ),
        pytest.param(head(A, B, positions("/x", referenced="/a")), False, id="unreadable-about-a"),
        pytest.param(head(A, B, vector("/v", "/a")), True, id="vector"),
        pytest.param(head(A, B, vector("/v", "/b")), False, id="vector-of-a-live-file"),
        pytest.param(head(A, equality("/e", number=5)), True, id="equality"),
        pytest.param(head(A, equality("/e", number=6)), False, id="equality-after-the-plan"),
        pytest.param(head(A, B, equality("/e", number=5)), False, id="equality-of-an-older-file"),
        pytest.param(
            head(A, data("/b", number=5), equality("/e", number=5)), True, id="only-younger-files"
        ),
        pytest.param(
            head(A, FAR, equality("/e", number=5, partition=OTHER)), False, id="equality-elsewhere"
        ),
        pytest.param(
            head(A, equality("/e", number=1, partition=OTHER)), False, id="equality-untouched"
        ),
        pytest.param(
            head(A, equality("/e", number=5, partition="", spec=1)), True, id="equality-everywhere"
        ),
        pytest.param(
            head(A, FAR, equality("/e", number=5, partition="", spec=1)),
            False,
            id="equality-everywhere-of-an-older-file",
        ),
    ],
)
def test_what_nothing_needs_goes(now: Head, goes: bool):
    assert gone_with_a(now) == [delete.entry.path for delete in now.deletes if goes]


def test_a_group_without_rows_left_adds_no_file():
    now = head(A, equality("/e", number=6))
    assert [p.entry.path for p in dangling(now, gone={"/a"}, added=[], named=named)] == ["/e"]
