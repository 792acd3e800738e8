"""Every table that Spark wrote, of versions 1 to 3: all manifests anew, all that is read kept."""

import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.core.ids import TableId
from dp_assets.ports.closure import one_spelling
from dp_assets_tests.adapters.moved_table import move
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.usecases.backup.readings import Readings, by_duckdb, by_pyiceberg
from dp_assets_tests.usecases.maintenance.manifest_rewrites import (
    ALL,
    check_lines,
    listed,
    planned,
    read_metadata_of,
    rewrite,
)
from dp_assets_tests.zoo import TABLES, unpack_zoo

VERSION_3 = ("v2_to_v3", "v3_defaults", "v3_dv")


@dataclass(frozen=True)
class House:
    """All tables of the zoo in one catalog."""

    lake: Lake

    def pointer(self, name: str) -> str:
        return self.lake.catalog.load_table(("zoo", name)).metadata_location

    def readings(self, name: str, *more: int | None) -> tuple[Readings, Readings]:
        """Of the head, of all refs, and of the snapshots ``more``."""
        pointer = Path(one_spelling(self.pointer(name)))
        raw = json.loads(pointer.read_text())
        refs = (raw.get("refs") or {}).values()
        kept = {raw.get("current-snapshot-id"), *more, *(ref["snapshot-id"] for ref in refs)}
        raw["snapshots"] = [s for s in raw.get("snapshots") or () if s["snapshot-id"] in kept]
        short = pointer.with_name(f"short-{pointer.name}")
        short.write_text(json.dumps(raw))
        return by_pyiceberg(str(short)), by_duckdb(str(short), self.lake.folder / "tmp")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[House, None, None]:
    with Lake(tmp_path_factory.mktemp("zoo")) as lake:
        zoo = unpack_zoo(lake.folder)
        lake.catalog.create_namespace("zoo")
        for name in TABLES:
            pointer = Path(move(zoo.files, zoo.table(name), lake.folder / "moved" / name))
            metadata = json.loads(pointer.read_text())
            metadata["properties"][ADOPTED] = "true"
            metadata["unknown"] = {"kept": [1]}
            pointer.write_text(json.dumps(metadata))
            lake.catalog.register_table(("zoo", name), str(pointer))
        yield House(lake)


@pytest.mark.parametrize("name", TABLES)
def test_every_reading_is_as_before(house: House, name: str):
    table = TableId("zoo", name)
    old, before = read_metadata_of(house.pointer(name)), house.readings(name)
    plan = planned(house.lake.catalog, table, ALL)
    said = listed(house.pointer(name)) if plan.manifests else None
    done = rewrite(house.lake, table, rule=ALL)
    assert (done.snapshot_id is None) == plan.is_empty
    if done.snapshot_id is None:
        assert read_metadata_of(house.pointer(name)) == old
        return
    now = read_metadata_of(house.pointer(name))
    assert now["current-snapshot-id"] == done.snapshot_id
    assert now["unknown"] == old["unknown"]
    assert {k: v for k, v in now["refs"].items() if k != "main"} == {
        k: v for k, v in (old.get("refs") or {}).items() if k != "main"
    }
    assert listed(house.pointer(name)) == said
    after = house.readings(name, old["current-snapshot-id"])
    for was, is_ in zip(before, after, strict=True):
        ours = is_.pop(f"snapshot {done.snapshot_id}")
        assert is_ == was
        assert ours == was["current"]
    if name not in VERSION_3:
        opened = house.lake.catalog.load_table(table.identifier)
        assert check_lines(opened, done.snapshot_id) == done.created > 0
    assert planned(house.lake.catalog, table).is_empty


def test_most_of_them_had_work(house: House):
    """So that the test above is one."""
    rewritten = [name for name in TABLES if _is_ours(read_metadata_of(house.pointer(name)))]
    assert set(TABLES) - set(rewritten) == {"empty"}


def _is_ours(metadata: dict[str, Any]) -> bool:
    return any(s["summary"].get("dp.operation") for s in metadata.get("snapshots") or ())
