"""The benchmarks run at tiny sizes and count right; how long anything takes is not tested here."""

import json
import os
import random
import shutil
from pathlib import Path

import pytest

from benchmarks import (
    backup,
    commit_cost,
    compaction,
    definitions,
    dump,
    many_tables,
    orchestration,
    pipeline,
    recovery_time,
)
from benchmarks.lakes import Lake, forget_new_files, kept_lake, start_of
from benchmarks.made_lineitem import NAMESPACE, table_files
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
        warmups=0,
        year=False,
        idle_seconds=1,
        tables=3,
        gb=0.0001,
        files=(3,),
        recovered_files=(3,),
        catalog_tables=20,
        many=10,
        lineitem_files=8,
        sf10=False,
        commits=12,
        work=tmp_path / "work",
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


def test_every_side_of_the_backup_case_is_measured(options):
    found = backup.measured(options)
    ours = {f"3: ours {verb}" for verb in backup.OURS}
    assert ours | {start_of(name) for name in ours} <= found.rounds.keys()
    missing = {program for program in ("rclone", "restic") if not shutil.which(program)}
    assert {
        program for program in ("rclone", "restic") if f"3: {program} full" in found.rounds
    } == {
        "rclone",
        "restic",
    } - missing
    assert len([note for note in found.notes if note.startswith("NOT MEASURED")]) == len(missing)
    full, same = (
        middle(found.rounds[f"3: ours {how}"], "copied_files") for how in ("full", "unchanged")
    )
    # Three data files, a manifest, a manifest list, the metadata; and nothing the second time.
    assert (full, same) == (6, 0)
    # The catalog's own tables are in no table: what is verified are those files and the documents.
    assert middle(found.rounds["3: ours verify"], "reread") > 6


def test_sides_of_the_compaction_case_write_files(options):
    lake = compaction.made(2, options)
    sides = (("proven", "raw"), ("row_groups", "large"))
    files = {
        verb: measure(compaction.side(lake, verb, table), work=options.work).said["files"]
        for verb, table in sides
    }
    assert files == {"proven": 1, "row_groups": 1}
    assert len(table_files(lake.warehouse / NAMESPACE / "raw")) == 2
    forget_new_files(lake)
    assert {path.stem for path in lake.warehouse.rglob("*.parquet")} == {"00000", "00001"}


def test_the_compaction_case_judges_every_goal():
    said = {"work": 1.0, "rewrite": 1.0, "aggregate": 1.0, "files": 1.0}
    rounds = {
        f"{compaction.NAMES[verb]}, {table}": [Sample(1, 1, 300, said)]
        for verb, table in compaction.SIDES
    }
    found = compaction.judged(rounds)
    assert {goal.what.split()[0] for goal in found} == {"P1", "P2", "P3", "P4", "P5"}
    # A rewrite as fast as a COPY is faster than asked, and so is all of it.
    assert [goal.what for goal in found if not goal.met] == [
        "P1 rewrite, raw: ours / PyArrow, one writer",
        "P3 whole, not proven, raw: ours / PyIceberg overwrite",
        "P3 whole, raw: ours / PyIceberg overwrite",
        "P5 by row groups, large: ours / our rewrite",
        "P4 peak memory, maintained: ours / PyArrow, one writer",
    ]


@pytest.fixture(scope="module")
def histories(tmp_path_factory) -> Lake:
    """Twelve commits, and six files to be planned."""
    words = ("benchmarks.made_histories", "12", "6")
    return kept_lake("histories", tmp_path_factory.mktemp("histories"), *words)


def test_appends_are_measured_and_nothing_of_them_stays(histories, tmp_path):
    before = sorted(path for path in histories.warehouse.rglob("*") if path.is_file())
    sample = measure(commit_cost.side(histories, "append", "unmanaged"), work=tmp_path)
    assert sample.said["first"] > 0
    assert len(list(histories.warehouse.rglob("*.parquet"))) == 5
    forget_new_files(histories)
    assert sorted(path for path in histories.warehouse.rglob("*") if path.is_file()) == before


def test_an_expiry_reads_each_list_and_manifest_once(histories, tmp_path):
    said = measure(commit_cost.side(histories, "expiry", "unmanaged"), work=tmp_path).said
    # The metadata file, twelve lists, twelve manifests.
    assert (said["reads"], said["files"]) == (25, 25)


def test_a_peer_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert backup.missing_programs() == [
        "NOT MEASURED: rclone is not installed",
        "NOT MEASURED: restic is not installed",
    ]


def test_a_destroyed_table_is_restored_and_proven(options):
    found = recovery_time.measured(options)
    proven = [samples[0] for side, samples in found.rounds.items() if side.endswith("drill")]
    assert [sample.said["proven"] for sample in proven] == [True, True]
    written = (options.work.parent / "recovery_time.md").read_text().splitlines()
    assert [line.count("|") for line in written] == [len(recovery_time.COLUMNS) + 1] * 4


def test_the_dump_case_measures_both_databases(options):
    found = dump.measured(options)
    assert {dump.OURS, dump.PG_DUMP, dump.SQLITE, dump.COPY} <= found.rounds.keys()
    assert middle(found.rounds[dump.OURS], "tables") == 20
    assert middle(found.rounds[dump.SQLITE], "tables") == 20


def test_a_point_of_many_tables_takes_all_of_them_over(options):
    found = many_tables.measured(options)
    assert middle(found.rounds["10 tables"], "unchanged") == 10
    assert middle(found.rounds["1 tables"], "unchanged") == 1


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


def test_memory_of_who_measures_is_not_counted(tmp_path):
    held = bytearray(b"x") * (200 * 1024 * 1024)
    sample = measure(Side("small", ("nothing",), program="echo"), work=tmp_path)
    assert sample.peak_mib < 100
    assert len(held) > 0


def test_a_side_may_be_any_program_and_knows_its_state_folder(tmp_path):
    words = ("-c", 'test -d "$HERE" && echo "{\\"same\\": $(test {state} = "$HERE" && echo 1)}"')
    side = Side("shell", words, program="sh", environment={"HERE": "{state}"})
    assert measure(side, work=tmp_path).said == {"same": 1}


def test_a_process_does_not_overrule_what_is_measured_from_outside(tmp_path):
    side = Side("boasts", ("-c", 'print(\'said\\n{\\n "seconds": -5,\\n "rows": 2\\n}\')'))
    sample = measure(side, work=tmp_path)
    assert (sample.said["rows"], middle([sample]) > 0) == (2, True)


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
