"""Which snapshots are read, what a verdict says, and that nothing unread is called proven."""

from dataclasses import replace

import pytest

from dp_assets.domains.backup.differences import ComparedTable
from dp_assets.domains.backup.proving import TableProof, Verdict, prove_table
from dp_assets.domains.backup.reading import (
    SAMPLE_SNAPSHOTS,
    PlannedRead,
    SnapshotRead,
    plan_reading,
    reading_differences,
    refusals,
)
from dp_assets.ports.closure import TableClosure
from dp_assets.ports.reading import Engine, Reading
from dp_assets.ports.recovery import (
    FileKind,
    History,
    ObjectRef,
    ReachableFile,
    SnapshotFacts,
    StoredFile,
    TableContent,
)


def facts(number: int, *, schema: int = 0, rows: int | None = 10) -> SnapshotFacts:
    return SnapshotFacts(
        snapshot_id=number,
        parent_id=number - 1 or None,
        sequence_number=number,
        timestamp_ms=number,
        schema_id=schema,
        data_files=1,
        delete_files=0,
        data_digest="d",
        delete_digest="e",
        rows=rows,
        rows_by="manifests",
    )


def content(*snapshots: SnapshotFacts, files: tuple[ReachableFile, ...] = ()) -> TableContent:
    head = snapshots[-1].snapshot_id if snapshots else None
    return TableContent(
        table="n.t",
        uuid="u",
        pointer="/w/m.json",
        location="/w",
        format_version=2,
        history=History.ALL,
        head=head,
        schema={},
        refs={"main": {"snapshot-id": head, "type": "branch"}} if head else {},
        snapshots=snapshots,
        files=tuple(StoredFile(f, "", ObjectRef("n", "s", 1, "s", 1)) for f in files),
    )


def both(
    number: int | None, one: Reading | None = None, other: Reading | None = None
) -> SnapshotRead:
    read = (
        one or Reading(Engine.PYICEBERG, 10, "f:1", {"a": 0}),
        other or Reading(Engine.DUCKDB, 10, "f:1", {"a": 0}),
    )
    return SnapshotRead(PlannedRead(number, ("head",)), read)


def proof(of: TableContent, *reads: SnapshotRead, differences: tuple[str, ...] = ()) -> TableProof:
    closure = TableClosure("/x", History.ALL, {}, of.head, (), {}, ())
    return prove_table(ComparedTable(of, closure, 0, differences), reads=reads)


def test_head_refs_changes_and_a_sample_are_read() -> None:
    history = [facts(n, schema=int(n > 20)) for n in range(1, 41)]
    table = replace(
        content(*history),
        refs={"main": {"snapshot-id": 40}, "kept": {"snapshot-id": 7, "type": "tag"}},
    )
    specs = {n: frozenset({0} if n < 30 else {0, 1}) for n in range(1, 41)}
    plan = {
        p.snapshot_id: p.reasons for p in plan_reading(table, specs, everything=False, seed="s")
    }
    assert plan[40] == ("head", "branch main")
    assert plan[7] == ("tag kept",)
    assert plan[1] == ("schema 0", "partition spec 0")
    assert plan[21] == ("schema 1",)
    assert plan[30] == ("partition spec 1",)
    sample = [n for n, reasons in plan.items() if reasons == ("sample",)]
    assert len(sample) == SAMPLE_SNAPSHOTS
    assert len(plan) == 5 + SAMPLE_SNAPSHOTS


def test_a_sample_is_the_same_for_a_seed_and_another_for_another() -> None:
    table = content(*(facts(n) for n in range(1, 200)))

    def drawn(seed: str) -> set[int | None]:
        return {p.snapshot_id for p in plan_reading(table, {}, everything=False, seed=seed)}

    assert drawn("7:1") == drawn("7:1")
    assert drawn("7:1") != drawn("7:2")


def test_everything_is_every_snapshot_once() -> None:
    table = content(*(facts(n) for n in range(1, 100)))
    plan = plan_reading(table, {}, everything=True, seed="")
    assert [p.snapshot_id for p in plan] == list(range(1, 100))


def test_a_table_without_snapshots_is_read_once() -> None:
    table = content()
    assert plan_reading(table, {}, everything=False, seed="") == (PlannedRead(None, ("head",)),)
    empty = [Reading(engine, 0, "f:0", {}) for engine in Engine]
    found = proof(table, SnapshotRead(PlannedRead(None, ("head",)), tuple(empty)))
    assert (found.verdict, found.rows_point, found.rows_restored) == (Verdict.PROVEN, 0, 0)


@pytest.mark.parametrize(
    ("reads", "verdict"),
    [
        ((both(1), both(2)), Verdict.PROVEN),
        ((both(1), both(2, Reading(Engine.PYICEBERG, refused="no"))), Verdict.ONE_ENGINE),
        (
            (
                both(1),
                both(
                    2, Reading(Engine.PYICEBERG, refused="no"), Reading(Engine.DUCKDB, refused="no")
                ),
            ),
            Verdict.NOT_READ,
        ),
        ((), Verdict.NOT_READ),
        ((both(1), both(2, Reading(Engine.PYICEBERG, failed="lost"))), Verdict.DIFFERS),
    ],
)
def test_the_verdict_is_that_of_the_snapshot_fewest_have_read(
    reads: tuple[SnapshotRead, ...], verdict: Verdict
) -> None:
    assert proof(content(facts(1), facts(2)), *reads).verdict is verdict


def test_a_difference_outweighs_what_engines_agree_on() -> None:
    found = proof(content(facts(1)), both(1), differences=("tag x is missing",))
    assert found.verdict is Verdict.DIFFERS
    assert found.said == "not as recorded; tag x is missing"


def test_a_sample_is_called_one() -> None:
    table = content(*(facts(n) for n in range(1, 10)))
    assert proof(table, both(9)).coverage == "a sample: 1 of 9 snapshots read"
    assert proof(content(facts(1)), both(1)).coverage == "everything: 1 of 1 snapshots read"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Reading(Engine.DUCKDB, 9, "f:1", {"a": 0}), "DuckDB reads 9 rows, 10 were recorded"),
        (Reading(Engine.DUCKDB, 10, "f:1", {"a": 1}), "different numbers of nulls in a"),
        (Reading(Engine.DUCKDB, 10, "f:2", {"a": 0}), "read 10 different rows"),
        (Reading(Engine.DUCKDB, failed="x is gone"), "DuckDB cannot read snapshot 1: x is gone"),
    ],
)
def test_readings_that_differ_are_said(other: Reading, said: str) -> None:
    assert said in " ".join(reading_differences(both(1, other=other), facts(1)))


def test_both_engines_may_be_wrong_alike() -> None:
    wrong = [Reading(engine, 11, "f:1", {}) for engine in Engine]
    found = reading_differences(both(1, *wrong), facts(1))
    assert [said.split(":")[1].split(" reads")[0].strip() for said in found] == list(Engine)


@pytest.mark.parametrize(
    ("kind", "form", "pyiceberg", "duckdb"),
    [
        (FileKind.DATA, "PARQUET", "", ""),
        (FileKind.DATA, "AVRO", "AVRO data", "AVRO data"),
        (FileKind.DATA, "ORC", "", "ORC data"),
        (FileKind.POSITION_DELETES, "AVRO", "AVRO deletes", "AVRO deletes"),
        (FileKind.EQUALITY_DELETES, "PARQUET", "equality deletes", ""),
        (FileKind.DELETION_VECTORS, "PUFFIN", "", ""),
    ],
)
def test_what_engines_are_known_not_to_read(
    kind: FileKind, form: str, pyiceberg: str, duckdb: str
) -> None:
    table = content(facts(1), files=(ReachableFile("/w/f", kind, format=form),))
    assert (refusals(table, Engine.PYICEBERG), refusals(table, Engine.DUCKDB)) == (
        pyiceberg,
        duckdb,
    )
