"""What is wrong with a commit, found by comparing its snapshot with its parent."""

from dataclasses import replace

import pytest

from dp_assets.domains.maintenance.heads import Placed
from dp_assets.domains.maintenance.replace_proof import files_difference
from dp_assets_tests.domains.maintenance.compactions import (
    OTHER,
    PLANNED,
    data,
    equality,
    group,
    head,
    positions,
    rewritten,
)

A, B, E, D = data("/a"), data("/b"), equality("/e"), positions("/d")
NEW = replace(
    data("/n", number=PLANNED),
    entry=replace(data("/n", number=PLANNED).entry, size=50, records=8, file_sequence_number=9),
)


def edited(placed: Placed, **changes: object) -> Placed:
    return replace(placed, entry=replace(placed.entry, **changes))


def difference(*after: Placed) -> str:
    """When a was replaced, and its delete file taken away."""
    return files_difference(
        head(A, B, E, D),
        head(*after),
        [rewritten(group(A), "/n")],
        sequence_number=PLANNED,
        dropped={("/d", 0)},
    )


def test_a_right_commit_has_none():
    assert difference(B, E, NEW) == ""


def test_row_ids_may_be_given_to_files_that_had_none():
    assert difference(edited(B, first_row_id=7), E, NEW) == ""


@pytest.mark.parametrize(
    ("after", "says"),
    [
        pytest.param((E, NEW), "/b is not listed", id="lost"),
        pytest.param((B, E), "/n is not listed", id="new-file-lost"),
        pytest.param((A, B, E, NEW), "/a is not what was written", id="still-there"),
        pytest.param((B, E, NEW, data("/z")), "/z is not what was written", id="foreign"),
        pytest.param((edited(B, sequence_number=9), E, NEW), "/b is listed", id="number-carried"),
        pytest.param(
            (edited(B, file_sequence_number=9), E, NEW), "/b is listed", id="file-number-carried"
        ),
        pytest.param((edited(B, records=1), E, NEW), "/b is listed", id="rows"),
        pytest.param((B, E, edited(NEW, sequence_number=9)), "/n is not what", id="number-new"),
        pytest.param((B, E, edited(NEW, size=1)), "/n is not what", id="size"),
        pytest.param((B, E, edited(NEW, records=1)), "/n is not what", id="rows-new"),
        pytest.param(
            (B, E, replace(NEW, scope=data("/n", partition=OTHER).scope)),
            "/n is not what",
            id="partition",
        ),
        pytest.param((B, NEW), "deletes in /e", id="delete-lost"),
        pytest.param((B, E, D, NEW), "deletes in /d", id="delete-left"),
        pytest.param((B, edited(E, sequence_number=5), NEW), "deletes in /e", id="delete-number"),
    ],
)
def test_every_difference_is_seen(after: tuple[Placed, ...], says: str):
    assert says in difference(*after)
