"""Copies made or kept wrong: the facts of their snapshots differ, or cannot be had."""

import io
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dp_assets.adapters.recovery.avro_generic import Record
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.puffin_vectors import Place, read_vectors
from dp_assets.ports.object_store import MissingObjectError
from dp_assets.ports.recovery import FileKind, History, SnapshotFacts
from dp_assets_tests.adapters.delete_files import vector
from dp_assets_tests.adapters.moved_table import NAMING_DATA, Spoil, facts, move
from dp_assets_tests.zoo import Zoo, unpack_zoo

POSITIONS, VECTORS, EQUALITY = "v2_mor", "v3_dv", "equality"
DELETED = 2


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    return unpack_zoo(tmp_path_factory.mktemp("spoiled"))


def differing(left: tuple[SnapshotFacts, ...], right: tuple[SnapshotFacts, ...]) -> set[str]:
    """The names of the facts that are not equal in some snapshot."""
    assert len(left) == len(right)
    return {
        name
        for one, other in zip(left, right, strict=True)
        for name in SnapshotFacts.__slots__
        if getattr(one, name) != getattr(other, name)
    }


def spoiled(zoo: Zoo, folder: Path, name: str, **how: Callable[..., object]) -> set[str]:
    """Which facts a copy differs in that was made wrong."""
    pointer = move(zoo.files, zoo.table(name), folder / "copy", spoil=Spoil(**how))
    return differing(facts(zoo.files, zoo.table(name)), facts(zoo.files, pointer))


def once(change: Callable[[Record], bool]) -> Callable[[Record], None]:
    """``change`` made to the first record that it takes."""
    done: list[bool] = []

    def changing(record: Record) -> None:
        if not done and change(record):
            done.append(True)

    return changing


def remove(content: int) -> Callable[[Record], bool]:
    """Mark a live file as deleted: 0 data, 1 position deletes, 2 equality deletes."""

    def change(entry: Record) -> bool:
        hit = entry["status"] != DELETED and entry["data_file"].get("content", 0) == content
        if hit:
            entry["status"] = DELETED
        return hit

    return change


@pytest.mark.parametrize(
    ("name", "content", "facts_hit"),
    [
        pytest.param("v1_plain", 0, {"data_digest", "data_files", "rows"}, id="data"),
        pytest.param(POSITIONS, 1, {"delete_digest", "delete_files"}, id="position-deletes"),
        pytest.param(VECTORS, 1, {"delete_digest", "delete_files"}, id="vector"),
        pytest.param(EQUALITY, 2, {"delete_digest", "delete_files"}, id="equality-deletes"),
    ],
)
def test_a_file_less_is_seen(zoo, tmp_path, name, content, facts_hit):
    assert facts_hit <= spoiled(zoo, tmp_path, name, entry=once(remove(content)))


@pytest.mark.parametrize("name", [POSITIONS, VECTORS])
def test_deletes_that_point_at_the_old_place_are_seen(zoo, tmp_path, name):
    """Of vectors that is the footer: PyIceberg goes by it, others by the manifest."""
    hit = spoiled(zoo, tmp_path, name, named=lambda _right, old: old)
    assert hit == {"delete_digest"}


def old_bounds(root: bytes) -> Callable[[Record], None]:
    """Bounds of the paths in a delete file as they were below ``root``."""

    def change(entry: Record) -> None:
        file = entry["data_file"]
        for bound in [*(file.get("lower_bounds") or ()), *(file.get("upper_bounds") or ())]:
            if bound["key"] == 2147483546:
                bound["value"] = root + bound["value"]

    return change


def old_reference(entry: Record) -> bool:
    file = entry["data_file"]
    hit = entry["status"] != DELETED and bool(file.get("referenced_data_file"))
    if hit:
        file["referenced_data_file"] = "/old.parquet"
    return hit


def named_in_manifest(entry: Record) -> None:
    if entry["data_file"]["content"] == 1:
        entry["data_file"]["referenced_data_file"] = "/old.parquet"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param(POSITIONS, named_in_manifest, id="referenced-by-position-deletes"),
        pytest.param(POSITIONS, old_bounds(b"/!"), id="bounds-below"),
        pytest.param(POSITIONS, old_bounds(b"/~"), id="bounds-above"),
        pytest.param(VECTORS, old_reference, id="referenced-data-file"),
    ],
)
def test_deletes_that_engines_would_overlook_are_seen(zoo, tmp_path, name, change):
    assert spoiled(zoo, tmp_path, name, entry=change) == {"delete_digest"}


def renumber(record: Record) -> bool:
    for name in ("sequence_number", "min_sequence_number"):
        if record.get(name) is not None:
            record[name] += 1
    return True


def renumber_explicit(entry: Record) -> bool:
    hit = entry["status"] != DELETED and entry.get("sequence_number") is not None
    if hit:
        entry["sequence_number"] += 1
    return hit


@pytest.mark.parametrize("name", [POSITIONS, VECTORS, EQUALITY])
def test_a_wrong_sequence_number_in_a_list_is_seen(zoo, tmp_path, name):
    assert spoiled(zoo, tmp_path, name, line=renumber) == {"data_digest", "delete_digest"}


@pytest.mark.parametrize("name", [POSITIONS, VECTORS, "compacted"])
def test_a_wrong_sequence_number_in_a_manifest_is_seen(zoo, tmp_path, name):
    assert spoiled(zoo, tmp_path, name, entry=once(renumber_explicit))


def test_a_wrong_spec_is_seen(zoo, tmp_path):
    def change(line: Record) -> bool:
        line["partition_spec_id"] += 1
        return True

    assert spoiled(zoo, tmp_path, POSITIONS, line=change) == {"data_digest", "delete_digest"}


def test_lost_row_ids_are_seen(zoo, tmp_path):
    def change(line: Record) -> bool:
        line["first_row_id"] = None
        return True

    assert spoiled(zoo, tmp_path, VECTORS, line=change) == {"data_digest"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"record_count": 1}, id="rows"),
        pytest.param({"partition": {"id_bucket": 7}}, id="partition"),
    ],
)
def test_a_wrong_entry_is_seen(zoo, tmp_path, change):
    def spoil(entry: Record) -> None:
        if entry["data_file"]["content"] == 0:
            entry["data_file"].update(change)

    assert "data_digest" in spoiled(zoo, tmp_path, VECTORS, entry=spoil)


def test_other_equality_columns_are_seen(zoo, tmp_path):
    def change(entry: Record) -> None:
        if entry["data_file"]["content"] == 2:
            entry["data_file"]["equality_ids"] = [2]

    assert spoiled(zoo, tmp_path, EQUALITY, entry=change) == {"delete_digest"}


def copied(zoo: Zoo, folder: Path, name: str) -> str:
    return move(zoo.files, zoo.table(name), folder / "copy")


def files_of(zoo: Zoo, pointer: str, *kinds: FileKind) -> list[str]:
    closure = read_closure(zoo.files, pointer, history=History.ALL)
    return [file.path for file in closure.files if file.kind in kinds]


def test_swapped_data_files_are_seen(zoo, tmp_path):
    """Two files change places; in one partition of one commit that would be no change."""
    pointer = copied(zoo, tmp_path, VECTORS)
    first, *_, second = (Path(p) for p in files_of(zoo, pointer, FileKind.DATA))
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)
    assert "data_digest" in differing(
        facts(zoo.files, zoo.table(VECTORS)), facts(zoo.files, pointer)
    )


@pytest.mark.parametrize(
    ("name", "kind", "fact"),
    [
        pytest.param("types", FileKind.DATA, "data_digest", id="data"),
        pytest.param(EQUALITY, FileKind.EQUALITY_DELETES, "delete_digest", id="equality"),
    ],
)
def test_a_changed_byte_is_seen(zoo, tmp_path, name, kind, fact):
    pointer = copied(zoo, tmp_path, name)
    path = Path(files_of(zoo, pointer, kind)[0])
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    assert differing(facts(zoo.files, zoo.table(name)), facts(zoo.files, pointer)) == {fact}


@pytest.mark.parametrize("at", [0, -1])
def test_a_deleted_position_less_is_seen(zoo, tmp_path, at):
    pointer = copied(zoo, tmp_path, POSITIONS)
    path = Path(files_of(zoo, pointer, FileKind.POSITION_DELETES)[at])
    table = pq.read_table(io.BytesIO(path.read_bytes()))
    pq.write_table(table.slice(1), path)
    assert differing(facts(zoo.files, zoo.table(POSITIONS)), facts(zoo.files, pointer)) == {
        "delete_digest"
    }


def test_another_deleted_position_is_seen(zoo, tmp_path):
    """As many positions in a vector as before, one of them another; all checksums are right."""
    pointer = copied(zoo, tmp_path, VECTORS)
    closure = read_closure(zoo.files, pointer, history=History.ALL)
    entries = (e for manifest in closure.manifests.values() for e in manifest.entries)
    entry = next(e for e in entries if e.kind is FileKind.DELETION_VECTORS)
    place = Place(entry.offset, entry.length, entry.records)
    old = read_vectors(zoo.files, entry.path, places=[place])[place].positions
    blob = vector([*list(old)[:-1], old.max() + 1])
    assert len(blob) == entry.length
    with Path(entry.path).open("r+b") as file:
        file.seek(entry.offset)
        file.write(blob)
    hit = differing(facts(zoo.files, zoo.table(VECTORS)), facts(zoo.files, pointer))
    assert hit == {"delete_digest"}


@pytest.mark.parametrize("kind", [FileKind.DATA, *NAMING_DATA, FileKind.EQUALITY_DELETES])
def test_a_lost_file_is_no_equality(zoo, tmp_path, kind):
    for name in (POSITIONS, VECTORS, EQUALITY):
        pointer = copied(zoo, tmp_path / name, name)
        for path in files_of(zoo, pointer, kind)[:1]:
            Path(path).unlink()
            with pytest.raises(MissingObjectError):
                facts(zoo.files, pointer)
