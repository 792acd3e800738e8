"""Each thing that a move must change, left out on purpose: none of these goes unnoticed.

Leaving one out raises nothing anywhere: deleted rows come back, in one engine or in both.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dp_assets.adapters.iceberg_json import read_metadata
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.adapters.recovery import relocating_deletes
from dp_assets.adapters.recovery.avro_generic import records
from dp_assets.domains.backup import moved_manifests, moved_metadata
from dp_assets.domains.backup.repository import Repository
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from dp_assets.usecases.backup import relocation
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets_tests.usecases.backup import mapped_io
from dp_assets_tests.usecases.backup.readings import (
    Readings,
    by_duckdb,
    by_pyiceberg,
    files_naming,
)
from dp_assets_tests.usecases.backup.table_points import add_point, new_repository, reachable
from dp_assets_tests.zoo import POINTERS, PREFIX, unpack_zoo

TABLES = ("outside", "stats", "v2_mor", "v3_dv")
PYICEBERG, DUCKDB, OLD_PLACE, SIZES = "pyiceberg", "duckdb", "old place", "sizes"
Change = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Source:
    repository: Repository
    before: Mapping[str, Readings]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("zoo")
    zoo = unpack_zoo(folder)
    mapped = mapped_io.properties(PREFIX, str(zoo.folder))
    before = {name: by_pyiceberg(str(zoo.path(POINTERS[name])), mapped) for name in TABLES}
    repository = new_repository(folder / "repository")
    add_point(repository, {f"zoo.{n}": POINTERS[n] for n in TABLES}, read=zoo.files.read)
    shutil.rmtree(zoo.folder)
    return Source(repository, before)


def noticed(source: Source, folder: Path) -> set[str]:
    """Restore, and name every check that fails."""
    target = find_target([str(folder / "new")], load_settings())
    restore(source.repository, target, plan_restore(source.repository, target, Wanted()))
    with opened(target.settings) as lake:
        pointers = {table.name: at for table, at in list_pointers(lake.catalog).items()}
    wrong: set[str] = set()
    for name, pointer in pointers.items():
        if by_pyiceberg(pointer) != source.before[name]:
            wrong.add(PYICEBERG)
        after = by_duckdb(pointer, folder)
        if after != {at: source.before[name][at] for at in after}:
            wrong.add(DUCKDB)
        if list(wrong_sizes(pointer)):
            wrong.add(SIZES)
    if list(files_naming(folder / "new" / "warehouse", PREFIX)):
        wrong.add(OLD_PLACE)
    return wrong


def wrong_sizes(pointer: str) -> Iterator[str]:
    """Files whose size is not what the format records of it."""

    def read(path: str) -> bytes:
        return Path(path.removeprefix("file://")).read_bytes()

    metadata = read_metadata(ReadingIO(), pointer)
    for file in reachable(metadata, pointer, read):
        if file.size is not None and file.size != len(read(file.path)):
            yield file.path
    for snapshot in metadata["snapshots"]:
        listed = snapshot["manifest-list"]
        for record in records(read(listed), name=listed):
            if record["manifest_length"] != len(read(record["manifest_path"])):
                yield record["manifest_path"]


def keeping(key: str) -> Change:
    """Metadata whose ``key`` stays what it was."""
    original = moved_metadata.moved_metadata

    def moved(metadata: Mapping[str, Any], *args: Any, **named: Any) -> dict[str, Any]:
        return {**original(metadata, *args, **named), key: metadata.get(key)}

    return lambda patch: patch.setattr(relocation, "moved_metadata", moved)


def positions(patch: pytest.MonkeyPatch) -> None:
    original = relocating_deletes.rewrite_parquet
    patch.setattr(
        relocating_deletes, "rewrite_parquet", lambda s, t, to: original(s, t, to=lambda path: path)
    )


def bounds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(moved_manifests, "_move_bounds", lambda *_: None)


def puffin_footer(patch: pytest.MonkeyPatch) -> None:
    original = relocating_deletes.rewrite_puffin
    patch.setattr(
        relocating_deletes, "rewrite_puffin", lambda s, t, to: original(s, t, to=lambda path: path)
    )


def referenced_data_file(patch: pytest.MonkeyPatch) -> None:
    original = relocation.move_entry

    def move(entry: dict[str, Any], *args: Any) -> None:
        old = entry["data_file"].get("referenced_data_file")
        original(entry, *args)
        if old:
            entry["data_file"]["referenced_data_file"] = old

    patch.setattr(relocation, "move_entry", move)


def sizes_of_deletes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(moved_manifests, "_describe", lambda *_: None)


def manifest_lengths(patch: pytest.MonkeyPatch) -> None:
    original = relocation.move_listing

    def move(record: dict[str, Any], *args: Any) -> None:
        old = record["manifest_length"]
        original(record, *args)
        record["manifest_length"] = old

    patch.setattr(relocation, "move_listing", move)


def test_nothing_is_noticed_when_nothing_is_left_out(source: Source, tmp_path: Path):
    assert noticed(source, tmp_path) == set()


@pytest.mark.parametrize(
    ("left_out", "wrong"),
    [
        pytest.param(positions, {PYICEBERG, DUCKDB, OLD_PLACE}, id="paths-in-position-deletes"),
        pytest.param(bounds, {PYICEBERG, OLD_PLACE}, id="bounds-of-the-path"),
        pytest.param(puffin_footer, {PYICEBERG, OLD_PLACE}, id="paths-in-deletion-vectors"),
        pytest.param(referenced_data_file, {DUCKDB, OLD_PLACE}, id="referenced-data-file"),
        pytest.param(sizes_of_deletes, {SIZES}, id="sizes-of-delete-files"),
        pytest.param(manifest_lengths, {SIZES}, id="lengths-of-manifests"),
        pytest.param(keeping("location"), {OLD_PLACE}, id="location"),
        pytest.param(keeping("properties"), {OLD_PLACE}, id="path-properties"),
        pytest.param(keeping("metadata-log"), {OLD_PLACE}, id="metadata-log"),
        pytest.param(keeping("statistics"), {OLD_PLACE}, id="statistics"),
        pytest.param(keeping("partition-statistics"), {OLD_PLACE}, id="partition-statistics"),
    ],
)
def test_what_is_left_out_is_noticed(
    source: Source,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    left_out: Change,
    wrong: set[str],
):
    left_out(monkeypatch)
    assert noticed(source, tmp_path) >= wrong
