"""What can be wrong with a restored copy, each done on purpose to a copy that was right."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dp_assets.ports.reading import Engine
from dp_assets.ports.recovery import FileKind
from dp_assets_tests.faults.damaged_copy import (
    DamagedCopy,
    Json,
    elsewhere,
    move_bounds,
    move_referenced,
    path_of,
    without,
)

POSITIONS, VECTORS = FileKind.POSITION_DELETES, FileKind.DELETION_VECTORS


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One thing wrong.

    Attributes:
        named: what the drill must say.
        miscounted: engines that silently read a wrong number of rows; the others read it right.
    """

    what: str
    table: str
    act: Callable[[DamagedCopy], object]
    named: str
    miscounted: tuple[Engine, ...] | None = None


def _lose(kind: FileKind) -> Callable[[DamagedCopy], object]:
    return lambda copy: path_of(copy.newest(kind).path).unlink()


def _forget(kind: FileKind) -> Callable[[DamagedCopy], object]:
    return lambda copy: copy.one_entry(copy.newest(kind).path, without)


def _half(rows: pa.Table) -> pa.Table:
    return rows.slice(0, rows.num_rows // 2)


def _other_value(rows: pa.Table) -> pa.Table:
    at = rows.schema.get_field_index("qty")
    changed = pc.add(rows.column(at), pa.array([1] + [0] * (rows.num_rows - 1), pa.int64()))
    return rows.set_column(at, rows.schema.field(at), changed)


def _edit_data(change: Callable[[pa.Table], pa.Table]) -> Callable[[DamagedCopy], object]:
    return lambda copy: copy.rows(copy.newest(FileKind.DATA).path, change)


def _swap(copy: DamagedCopy) -> None:
    one, other = (path_of(file.path) for file in copy.files(FileKind.DATA)[:2])
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def _swap_names(copy: DamagedCopy) -> None:
    one, other = (file.path for file in copy.files(FileKind.DATA)[:2])
    names = {one: other, other: one}

    def change(entry: Json) -> None:
        path = entry["data_file"]["file_path"]
        entry["data_file"]["file_path"] = names.get(path, path)

    copy.entries(change)


def _snapshot_short(metadata: Json) -> None:
    metadata["snapshots"] = metadata["snapshots"][1:]
    metadata["snapshot-log"] = metadata.get("snapshot-log", [])[1:]


def _older_head(metadata: Json) -> None:
    head = metadata["snapshots"][-2]["snapshot-id"]
    metadata["current-snapshot-id"] = metadata["refs"]["main"]["snapshot-id"] = head


def _wider(metadata: Json) -> None:
    column = next(f for f in metadata["schemas"][-1]["fields"] if f["name"] == "price")
    column["type"] = "double"


def _renamed(metadata: Json) -> None:
    metadata["schemas"][0]["fields"][0]["name"] = "renamed"


def _of_first_commit(line: Json) -> None:
    """Deletes apply to data that is not newer: these would no longer apply."""
    if line["content"] == 1:
        line["sequence_number"] = line["min_sequence_number"] = 0


def _first_sequence(entry: Json) -> None:
    if entry["data_file"].get("content"):
        entry["sequence_number"] = 0


def _wrong_sequence(copy: DamagedCopy) -> None:
    copy.entries(_first_sequence)
    copy.lists(_of_first_commit)


def _cut(copy: DamagedCopy) -> None:
    path = path_of(copy.newest(FileKind.MANIFEST).path)
    path.write_bytes(path.read_bytes()[:-40])


def _other_partition(copy: DamagedCopy) -> None:
    copy.one_entry(
        copy.newest(FileKind.DATA).path, lambda e: e["data_file"]["partition"].update(day=1)
    )


SABOTAGES = (
    Sabotage(
        "file_path inside position delete files not rewritten",
        "zoo.v2_mor",
        lambda copy: copy.deletes(POSITIONS, elsewhere),
        "its deleted rows are not as recorded",
        (Engine.PYICEBERG, Engine.DUCKDB),
    ),
    Sabotage(
        "bounds of position delete files not rewritten",
        "zoo.v2_mor",
        lambda copy: copy.entries(move_bounds),
        "bound /gone",
        (Engine.PYICEBERG,),
    ),
    Sabotage(
        "referenced-data-file in the Puffin footer not rewritten",
        "zoo.v3_dv",
        lambda copy: copy.deletes(VECTORS, elsewhere),
        "its deleted rows are not as recorded",
        (Engine.PYICEBERG,),
    ),
    Sabotage(
        "referenced_data_file in the manifest not rewritten",
        "zoo.v3_dv",
        lambda copy: copy.entries(move_referenced),
        "referenced data file /gone",
        (Engine.DUCKDB,),
    ),
    Sabotage(
        "half of the deleted positions lost",
        "zoo.v2_mor",
        lambda copy: copy.rows(copy.newest(POSITIONS).path, _half),
        "its deleted rows are not as recorded",
        (Engine.PYICEBERG, Engine.DUCKDB),
    ),
    Sabotage("a delete file lost", "zoo.v2_mor", _lose(POSITIONS), "it is not there"),
    Sabotage("a delete file left out", "zoo.v2_mor", _forget(POSITIONS), "number of delete files"),
    Sabotage("a deletion vector left out", "zoo.v3_dv", _forget(VECTORS), "number of delete files"),
    Sabotage(
        "equality deletes left out",
        "zoo.equality",
        _forget(FileKind.EQUALITY_DELETES),
        "the copy's metadata does not name it",
    ),
    Sabotage("wrong sequence number of deletes", "zoo.v2_mor", _wrong_sequence, "deleted rows"),
    Sabotage("a data file lost", "shop.orders", _lose(FileKind.DATA), "it is not there"),
    Sabotage(
        "a live data file left out of its manifest",
        "zoo.compacted",
        _forget(FileKind.DATA),
        "the copy's metadata does not name it",
    ),
    Sabotage("one value changed", "shop.orders", _edit_data(_other_value), "its bytes are not"),
    Sabotage(
        "one row more",
        "shop.orders",
        _edit_data(lambda rows: pa.concat_tables([rows, rows.slice(0, 1)])),
        "its bytes are not",
    ),
    Sabotage("one row less", "shop.orders", _edit_data(lambda r: r.slice(1)), "its bytes are not"),
    Sabotage("two data files swapped", "shop.orders", _swap, "its bytes are not"),
    Sabotage("two data files swapped in their manifests", "shop.orders", _swap_names, "data files"),
    Sabotage("another partition value", "shop.orders", _other_partition, "data files are not as"),
    Sabotage(
        "a tag missing",
        "shop.orders",
        lambda copy: copy.metadata(lambda m: m["refs"].pop("audited")),
        "tag audited is missing",
    ),
    Sabotage(
        "a branch missing",
        "zoo.v2_mor",
        lambda copy: copy.metadata(lambda m: m["refs"].pop("side")),
        "branch side is missing",
    ),
    Sabotage(
        "one snapshot short",
        "zoo.v1_plain",
        lambda copy: copy.metadata(_snapshot_short),
        "is missing",
    ),
    Sabotage(
        "an older head", "shop.orders", lambda copy: copy.metadata(_older_head), "its head is"
    ),
    Sabotage(
        "a column of another type",
        "shop.orders",
        lambda copy: copy.metadata(_wider),
        "schemas is not as recorded",
    ),
    Sabotage(
        "a column renamed in an old schema",
        "zoo.v2_mor",
        lambda copy: copy.metadata(_renamed),
        "schemas is not as recorded",
    ),
    Sabotage("a manifest cut short", "shop.orders", _cut, "manifest"),
    Sabotage(
        "statistics altered",
        "zoo.stats",
        lambda copy: path_of(copy.newest(FileKind.STATISTICS).path).write_bytes(b"PFA1"),
        "its bytes are not as recorded",
    ),
    Sabotage(
        "a data file read at its old place",
        "shop.orders",
        lambda copy: copy.one_entry(
            copy.newest(FileKind.DATA).path,
            lambda e: e["data_file"].update(file_path=elsewhere(e["data_file"]["file_path"])),
        ),
        "is named outside of the copy",
    ),
)
