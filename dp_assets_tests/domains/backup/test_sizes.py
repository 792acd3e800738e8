"""An empty or shrunken point is noticed; an ordinary one is not."""

import pytest

from dp_assets.domains.backup.sizes import size_problems
from dp_assets.ports.recovery import History
from dp_assets_tests.domains.backup.manifests import line, manifest

BEFORE = manifest(*(line(f"raw.t{n}", size=100) for n in range(4)), number=1)


def test_an_empty_point_is_never_plausible():
    assert size_problems(None, manifest()) == ("the point holds no table",)
    assert size_problems(BEFORE, manifest()) == ("the point holds no table",)
    assert size_problems(None, manifest(line("raw.a", size=0))) == ("the point holds no bytes",)


def test_the_first_point_may_have_any_size():
    assert size_problems(None, manifest(line("raw.a", size=1))) == ()


@pytest.mark.parametrize(
    "now",
    [
        pytest.param([line(f"raw.t{n}", size=50) for n in range(4)], id="half-of-the-bytes"),
        pytest.param([line("raw.t0"), line("raw.t1")], id="half-of-the-tables-dropped"),
        pytest.param([*BEFORE.tables, line("raw.new", size=1)], id="a-new-table"),
        pytest.param(
            [line("raw.t0", size=1, uuid="u-2"), *BEFORE.tables[1:]], id="dropped-and-made-again"
        ),
        pytest.param(
            [line("raw.t0", size=0, problem="x"), *BEFORE.tables[1:]], id="incomplete-says-itself"
        ),
    ],
)
def test_plausible(now):
    assert size_problems(BEFORE, manifest(*now)) == ()


def test_most_tables_dropped_is_asked_about():
    (problem,) = size_problems(BEFORE, manifest(line("raw.t0")))
    assert problem == "3 of 4 tables were dropped since point 1: raw.t1, raw.t2, raw.t3"


def test_tables_that_the_settings_no_longer_select_are_named():
    now = manifest(*BEFORE.tables[1:], exclude=("raw.t0",))
    assert size_problems(BEFORE, now) == ("no longer selected: raw.t0",)


def test_the_same_tables_with_far_fewer_bytes_are_noticed():
    now = manifest(*(line(f"raw.t{n}", size=49) for n in range(4)))
    assert size_problems(BEFORE, now) == ("the same tables hold 196 B, in point 1 400 B",)


def test_a_shorter_history_explains_fewer_bytes():
    now = manifest(*(line(f"raw.t{n}", size=1) for n in range(4)), history=History.CURRENT)
    assert size_problems(BEFORE, now) == ()
