"""The benchmarks run at tiny sizes and count right; how long anything takes is not tested here."""

import json
import os
import random
from pathlib import Path

import pytest

from benchmarks import definitions, orchestration, pipeline
from benchmarks.measure import BenchmarkError, Sample, Side, measure, middle, shuffled_rounds
from benchmarks.options import Options
from benchmarks.report import Findings, Goal, publish

FLIGHTS_OF_THE_FIRST_DAY = 842
IN_ORDER = random.Random(1)  # noqa: S311 - an order of rounds, no secret
HERE = {"machine": "a test", "load": "0.0 0.0 0.0"}
SAY_SIZE = 'import os; print(\'{"entries": %d}\' % len(os.listdir(os.environ["DP_STATE"])))'


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(
        days=1,
        rounds=1,
        year=False,
        idle_seconds=1,
        tables=3,
        work=tmp_path,
        order=IN_ORDER,
    )


def test_every_side_of_the_pipeline_writes_the_same_rows(tmp_path):
    sides = pipeline.sides(days=1)
    rows = {side.name: measure(side, work=tmp_path).said["rows"] for side in sides}
    assert rows == dict.fromkeys(
        (pipeline.OURS, pipeline.PLAIN, pipeline.APPENDING), FLIGHTS_OF_THE_FIRST_DAY
    )


def test_discovered_tables_are_loaded(options):
    found = definitions.measured(options)
    bare, more = (found.rounds[name] for name in (definitions.LOCATION, "location, 3 tables"))
    assert middle(more, "assets") == middle(bare, "assets") + 3


@pytest.mark.parametrize("how", orchestration.SIDES.values())
def test_steps_and_bare_functions_are_as_many(tmp_path, how):
    side = Side(how, ("-m", "benchmarks.orchestration_side", how, "2"))
    assert measure(side, work=tmp_path).said["steps"] == 2


def test_a_side_starts_with_what_was_prepared_and_leaves_nothing(tmp_path):
    side = Side("counts", ("-c", SAY_SIZE), prepare=lambda state: (state / "one").touch())
    assert [measure(side, work=tmp_path).said["entries"] for _ in range(2)] == [1, 1]
    assert not (tmp_path / "state").exists()


def test_a_side_that_fails_is_not_measured(tmp_path):
    side = Side("broken", ("-c", "raise SystemExit('no such day')"))
    with pytest.raises(BenchmarkError, match="no such day"):
        measure(side, work=tmp_path)


def test_warm_ups_are_not_counted_and_the_order_changes(tmp_path):
    turns = tmp_path / "turns"
    sides = [
        Side(name, ("-c", f"print('{name}', file=open({str(turns)!r}, 'a'))")) for name in "ab"
    ]
    rounds = shuffled_rounds(sides, rounds=4, warmups=1, work=tmp_path / "work", order=IN_ORDER)
    assert {name: len(samples) for name, samples in rounds.items()} == {"a": 4, "b": 4}
    done = turns.read_text().split()
    assert len({tuple(done[i : i + 2]) for i in range(0, 10, 2)}) == 2


def test_memory_and_cpu_are_those_of_the_side(tmp_path):
    size = 200 * 1024 * 1024
    sample = measure(Side("big", ("-c", f"bytearray(b'x') * {size}")), work=tmp_path)
    assert sample.peak_mib > 200
    assert sample.cpu_seconds > 0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(1.3, "met    ours / theirs: 1.3x (goal <= 1.3x)", id="at-the-limit"),
        pytest.param(1.31, "MISSED ours / theirs: 1.31x (goal <= 1.3x)", id="above"),
    ],
)
def test_a_missed_goal_is_called_missed(value, said):
    assert str(Goal("ours / theirs", value, 1.3, "x")) == said


def test_findings_are_kept_with_the_machine_and_every_sample(tmp_path, capsys):
    sample = Sample(seconds=2.0, cpu_seconds=1.0, peak_mib=70, said={"rows": 5})
    goal = Goal("ours / theirs", 2.0, 1.3, "x")
    findings = Findings("small", {"days": "1"}, {"ours": [sample]}, [goal], ["a note"])
    publish(findings, where=HERE, folder=tmp_path / "kept")
    kept = json.loads((tmp_path / "kept" / "small.json").read_text())
    assert kept["machine"] == "a test"
    assert kept["rounds"] == {
        "ours": [{"seconds": 2.0, "cpu_seconds": 1.0, "peak_mib": 70, "said": {"rows": 5}}]
    }
    assert kept["goals"][0]["met"] is False
    assert "MISSED ours / theirs" in capsys.readouterr().out


def test_sides_see_compiled_imports_and_no_settings_of_the_caller(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("DP_CONFIG", "elsewhere.yaml")
    check = (
        "import os, sys; assert not sys.dont_write_bytecode; assert 'DP_CONFIG' not in os.environ"
    )
    assert measure(Side("clean", ("-c", check)), work=tmp_path).said == {}
    assert os.environ["DP_CONFIG"] == "elsewhere.yaml"
