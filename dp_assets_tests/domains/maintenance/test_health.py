"""Figures out of a closure made by hand: sizes of data that no test could write."""

import pytest

from dp_assets.core.ids import TableId
from dp_assets.core.units import GIB, MIB
from dp_assets.domains.maintenance.health import health_of
from dp_assets.ports.closure import KeptSnapshot, LiveEntry, Manifest, ManifestUse, TableClosure
from dp_assets.ports.recovery import FileKind, History, ReachableFile

DATA, VECTOR, EQUALITY = FileKind.DATA, FileKind.DELETION_VECTORS, FileKind.EQUALITY_DELETES


def entry(path: str, size: int, *, kind=DATA, partition: str = "", records: int = 100) -> LiveEntry:
    return LiveEntry(
        path=path,
        kind=kind,
        format="PARQUET",
        size=size,
        records=records,
        partition=partition,
        added=True,
    )


def snapshot(number: int, *manifests: str) -> KeptSnapshot:
    uses = tuple(ManifestUse(m, 1, 0, number, number) for m in manifests)
    return KeptSnapshot(number, None, number, number * 1000, 0, f"list-{number}", uses)


def closure(head: int | None = 2, **manifests: list[LiveEntry]) -> TableClosure:
    """Snapshot 1 has all manifests, snapshot 2 all but those named ``old...``."""
    files = {e.path: e for entries in manifests.values() for e in entries}
    return TableClosure(
        pointer="pointer",
        history=History.ALL,
        metadata={"format-version": 2, "table-uuid": "u", "partition-specs": []},
        head=head,
        snapshots=(
            snapshot(1, *manifests),
            snapshot(2, *(m for m in manifests if not m.startswith("old"))),
        ),
        manifests={name: Manifest(name, 0, tuple(e)) for name, e in manifests.items()},
        files=tuple(ReachableFile(e.path, e.kind, e.size) for e in files.values()),
    )


def measure(**manifests: list[LiveEntry]):
    return health_of(closure(**manifests), table=TableId("a", "b"), at_ms=5, metadata_bytes=6)


def test_size_error_and_small_files():
    found = measure(m=[entry("1", 128 * MIB), entry("2", 64 * MIB), entry("3", 0)])
    assert found.error == pytest.approx((0 + 0.25 + 1) / 3)
    assert (found.files, found.small_files, found.bytes, found.rows) == (3, 2, 192 * MIB, 300)
    [whole] = found.partitions
    assert (whole.partition, whole.target_bytes) == ("", 128 * MIB)
    assert whole.error == found.error
    assert (found.size_counts[0], found.size_counts[17], found.size_counts[18]) == (1, 1, 1)


def test_every_partition_has_its_own_target():
    big = [entry(f"b{n}", 257 * MIB, partition='{"p":1}') for n in range(128)]
    small = [entry("s", 127 * MIB, partition='{"p":2}')]
    found = measure(m=[*big, *small])
    assert {p.partition: p.target_bytes for p in found.partitions} == {
        "p=1": 512 * MIB,
        "p=2": 128 * MIB,
    }
    assert found.small_files == 128
    assert sum(p.bytes for p in found.partitions) > 32 * GIB


def test_deletes_count_in_their_partition_and_old_files_by_path():
    found = measure(
        data=[entry("d1", 10, partition='{"p":1}')],
        deletes=[
            entry("v", 7, kind=VECTOR, partition='{"p":1}', records=3),
            entry("v", 7, kind=VECTOR, partition='{"p":2}', records=4),
            entry("e", 5, kind=EQUALITY, records=1),
        ],
        old_data=[entry("d0", 1000, partition='{"p":1}'), entry("d1", 10, partition='{"p":1}')],
        old_vectors=[entry("w", 20, kind=VECTOR), entry("w", 20, kind=VECTOR)],
    )
    assert found.old_bytes == 1020
    assert (found.files, found.delete_files, found.deleted_rows) == (1, 3, 8)
    assert {p.partition: (p.files, p.delete_files, p.deleted_rows) for p in found.partitions} == {
        "p=1": (1, 1, 3),
        "p=2": (0, 1, 4),
        "": (0, 1, 1),
    }
    assert (found.manifests, found.snapshots, found.oldest_snapshot_ms) == (2, 2, 1000)


def test_skew_is_of_partitions_with_data():
    files = [entry("1", 300, partition='{"p":1}'), entry("2", 100, partition='{"p":2}')]
    found = measure(m=[*files, entry("3", 9, kind=EQUALITY, partition='{"p":3}')])
    assert found.skew == 1.5
    assert measure(m=[]).skew == 1.0


def test_the_worst_partitions_are_kept_and_all_are_counted():
    healthy = [entry(f"h{n}", 128 * MIB, partition=f'{{"p":{n}}}') for n in range(50)]
    worse = [entry(f"w{n}", 1, partition='{"p":"w"}') for n in range(5)]
    worst = [entry(f"x{n}", 1, partition='{"p":"x"}') for n in range(9)]
    found = measure(m=[*healthy, *worse, *worst])
    assert (found.partition_count, len(found.partitions)) == (52, 20)
    assert [p.partition for p in found.partitions[:2]] == ["p=x", "p=w"]


def test_a_table_without_a_head_has_only_old_files():
    of = closure(head=None, m=[entry("1", 10)])
    found = health_of(of, table=TableId("a", "b"), at_ms=5, metadata_bytes=6)
    assert (found.head, found.files, found.manifests, found.old_bytes) == (None, 0, 0, 10)
    assert (found.snapshots, found.size_counts, found.partitions) == (2, (), ())
    assert (found.at_ms, found.metadata_bytes, found.unheld_bytes) == (5, 6, None)
