"""What a copy and its source must have in common, and that what was not compared says so."""

from dataclasses import replace

import pytest

from dp_assets.domains.backup.proving import AgainstSource, TableProof, Verdict
from dp_assets.domains.backup.reading import PlannedRead, SnapshotRead
from dp_assets.domains.backup.source_comparing import (
    OTHER_FUNCTION,
    CopyRead,
    SourceRead,
    against_source,
    reads_to_compare,
)
from dp_assets.ports.reading import Engine, Reading

READING = Reading(Engine.DUCKDB, 10, "duckdb-1:ff", {"a": 0, "b": 3})
PROOF = TableProof("n.t", Verdict.PROVEN, snapshots_point=3)
COPIES = (CopyRead(1, READING), CopyRead(2, READING))
GONE = SourceRead(1)


def read(number: int, reading: Reading = READING) -> SourceRead:
    return SourceRead(number, reading)


@pytest.mark.parametrize(
    ("sources", "said", "equal", "problem"),
    [
        ((read(1), read(2)), AgainstSource.EQUAL, 2, ""),
        ((GONE, read(2)), AgainstSource.EQUAL, 1, ""),
        ((GONE, SourceRead(2)), AgainstSource.GONE, 0, ""),
        ((), AgainstSource.GONE, 0, ""),
        ((GONE, SourceRead(2, problem="403")), AgainstSource.UNREADABLE, 0, "403"),
        ((read(1), SourceRead(2, problem="403")), AgainstSource.EQUAL, 1, "403"),
        (
            tuple(read(n, replace(READING, content="duckdb-2:ff")) for n in (1, 2)),
            AgainstSource.UNREADABLE,
            0,
            OTHER_FUNCTION,
        ),
    ],
    ids=["equal", "one gone", "gone", "silent", "unreadable", "one unreadable", "function"],
)
def test_what_cannot_be_compared_changes_no_verdict(
    sources: tuple[SourceRead, ...], said: AgainstSource, equal: int, problem: str
) -> None:
    proof, told = against_source(PROOF, COPIES, sources)
    assert (proof.source, proof.source_snapshots, told) == (said, equal, problem)
    assert (proof.verdict, proof.differences) == (Verdict.PROVEN, ())


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(READING, rows=11), "snapshot 2: 10 rows, the source has 11"),
        (
            replace(READING, nulls={"a": 0, "b": 4}),
            "snapshot 2: not the source's numbers of nulls in b",
        ),
        (
            replace(READING, content="duckdb-1:fe"),
            "snapshot 2: its 10 rows are not those of the source",
        ),
    ],
)
def test_one_snapshot_that_differs_is_no_proof(other: Reading, said: str) -> None:
    proof, _ = against_source(PROOF, COPIES, (read(1), read(2, other)))
    assert (proof.verdict, proof.source) == (Verdict.OTHER_SOURCE, AgainstSource.DIFFERS)
    assert not proof.verdict.is_as_recorded
    assert proof.said == f"differs from the source; {said}"


def test_who_read_it_makes_no_difference() -> None:
    other = replace(READING, engine=Engine.PYICEBERG)
    assert against_source(PROOF, COPIES[:1], (read(1, other),))[0].source is AgainstSource.EQUAL


def test_a_sample_compares_its_head_and_everything_all_that_was_read() -> None:
    pyiceberg = replace(READING, engine=Engine.PYICEBERG)
    refused = Reading(Engine.DUCKDB, refused="ORC data")
    reads = (
        SnapshotRead(PlannedRead(1, ("sample",)), (pyiceberg, refused)),
        SnapshotRead(PlannedRead(2, ("tag x",)), (Reading(Engine.PYICEBERG, failed="x"), refused)),
        SnapshotRead(PlannedRead(3, ("head",)), (pyiceberg, READING)),
    )
    assert reads_to_compare(3, reads, everything=False) == (CopyRead(3, READING),)
    assert reads_to_compare(3, reads, everything=True) == (
        CopyRead(1, pyiceberg),
        CopyRead(3, READING),
    )
