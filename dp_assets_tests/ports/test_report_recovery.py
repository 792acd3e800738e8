from dataclasses import replace

import pytest

from dp_assets.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from dp_assets.ports.report import PipelineReport
from dp_assets.ports.report_recovery import PointLine, ProofLine, Recovery, Uncovered

NEWEST = PointLine(number=7, cut_at_ms=0, age_ms=HOUR_MS, tables=2, bytes=10)
WELL = Recovery(
    missing="",
    repository="/r",
    points=7,
    newest=NEWEST,
    proven=NEWEST,
    proof=ProofLine(at_ms=0, age_ms=8 * DAY_MS, scope="sample", seconds=1.0),
    restore_seconds=1800.0,
    rpo_ms=HOUR_MS,
    rto_ms=30 * MINUTE_MS,
    max_unproven_ms=8 * DAY_MS,
)


def attention(recovery):
    return PipelineReport("L", "test", 0, "r", recovery=recovery).attention


def test_what_is_just_within_its_promise_needs_no_attention():
    assert attention(WELL) == ()


def test_a_table_made_since_the_newest_point_breaks_no_promise():
    assert attention(replace(WELL, not_covered=(Uncovered("raw.new", "not in point 7"),))) == ()


def test_without_a_repository_nothing_needs_attention():
    assert attention(Recovery(missing="there is no repository")) == ()


def test_without_a_point_that_is_all_there_is_to_say():
    nothing = replace(WELL, newest=None, proven=None, proof=None, restore_seconds=None)
    assert attention(nothing) == (
        "recovery: no complete recovery point yet, 'dp backup' makes one",
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"newest": replace(NEWEST, age_ms=HOUR_MS + 60_000)},
            "recovery: the newest point, 7, is 1 h 1 min old, 1 h 0 min are promised",
        ),
        ({"incomplete": (8, 9)}, "recovery: points after it are not whole: 8, 9"),
        (
            {"proof": None, "proven": None, "restore_seconds": None},
            "recovery: no drill has proven a point yet, 'dp drill' holds one",
        ),
        (
            {"proof": replace(WELL.proof, age_ms=9 * DAY_MS)},
            "recovery: the last proof is 9 d 0 h old, 8 d 0 h are promised",
        ),
        (
            {"restore_seconds": 1801.0},
            "recovery: a restore takes 30 min 1 s, 30 min 0 s are promised",
        ),
    ],
)
def test_each_broken_promise_is_one_sentence(changes, said):
    assert attention(replace(WELL, **changes)) == (said,)
