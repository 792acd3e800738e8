"""Restoring into other lakehouses: whole or not at all, and nothing is overwritten."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dp_assets.adapters.objects.lake_files import CatalogFiles
from dp_assets.core.errors import ConfigurationError, PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.renaming import Rename
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.lakehouse import opened
from dp_assets.ports.recovery import FileKind, TableContent
from dp_assets.usecases.backup import registering_restored, restoring
from dp_assets.usecases.backup.restore_journal import RestoreJournal, trash_journal
from dp_assets.usecases.backup.restoring import begun_restore, restore
from dp_assets.usecases.initialising import initialise
from dp_assets_tests.usecases.backup.shops import (
    TABLES,
    Shop,
    make_shop,
    rows_in,
    table_files,
    tables_in,
)

RENAMED = Wanted(renames=(Rename("shop.*", "copy.*"), Rename("stock.*", "copy.stock_*")))


class PulledPlugError(BaseException):
    """The process ends here."""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path)


def content(shop: Shop, table: str) -> TableContent:
    points = Points(shop.repository)
    lines = points.manifest(points.record(1)).tables
    return points.content(next(line for line in lines if line.table == table))


def object_file(shop: Shop, table: str, kind: FileKind) -> Path:
    """A stored object that only this table needs, for a file of that kind."""
    others = {f.ref.name for t in TABLES if t != table for f in content(shop, t).files}
    files = [f for f in content(shop, table).files if f.file.kind is kind]
    name = next(f.ref.name for f in files if f.ref.name not in others)
    return shop.folder / "repository" / layout.object_key(name)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.chmod(0o600)
    path.write_bytes(data)


def test_everything_comes_back_into_a_new_lakehouse(shop: Shop):
    target = shop.target()
    done = shop.restore(target)
    assert rows_in(target) == shop.rows
    assert {str(t.plan.target) for t in done.tables} == set(TABLES)
    with opened(target.settings) as lake:
        namespaces = {
            n: lake.catalog.load_namespace_properties(n) for n in ("shop", "stock", "empty")
        }
        assert lake.require_identity("test").lakehouse_id == done.lakehouse_id != "old-id"
        assert lake.require_identity("test").origin == ""
    assert namespaces["shop"] == {"owner": "ann", "location": f"{target.warehouse}/shop"}
    assert "location" not in namespaces["stock"]
    assert namespaces["empty"]["why"] == "not yet"


def test_the_restored_lakehouse_is_used_like_any_other(shop: Shop):
    target = shop.target()
    shop.restore(target)
    with opened(shop.target().settings) as lake:
        table = lake.catalog.load_table("shop.things")
        table.append(table.scan(limit=1).to_arrow())
        table.delete("id = 8")
    after = rows_in(shop.target())["shop.things"]
    assert len(after) == len(shop.rows["shop.things"])
    assert all(str(shop.folder / "new") in at for at in tables_in(target).values())


@pytest.mark.parametrize(
    "kind", [FileKind.METADATA, FileKind.MANIFEST_LIST, FileKind.MANIFEST, FileKind.DATA]
)
def test_a_damaged_object_refuses_its_table_and_no_other(shop: Shop, kind: FileKind):
    target = shop.target()
    plan = shop.plan(target)
    flip(object_file(shop, "shop.things", kind))
    done = restore(shop.repository, target, plan)
    assert [one.table for one in done.refused] == ["shop.things"]
    assert "damaged" in done.refused[0].why
    assert {str(table) for table in tables_in(target)} == set(TABLES) - {"shop.things"}
    assert not [p for p in table_files(target) if "/shop/things/" in str(p)]


@pytest.mark.parametrize("kind", [FileKind.MANIFEST, FileKind.DATA])
def test_a_lost_object_is_noticed_before_anything_is_written(shop: Shop, kind: FileKind):
    object_file(shop, "shop.things", kind).unlink()
    target = shop.target()
    plan = shop.plan(target)
    assert [(r.table, "is gone" in r.why) for r in plan.refused] == [("shop.things", True)]
    with pytest.raises(PermanentError, match=r"shop\.things cannot be restored"):
        shop.plan(target, Wanted(tables=("stock.*", "shop.things")))
    assert not (shop.folder / "new").exists()


def written_until(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends within the ``number``-th table file: half of it has its name already."""
    left = iter(range(number))
    original = CatalogFiles.write

    def write(
        files: CatalogFiles,
        location: str,
        content: bytes,
        *,
        replace: bool = False,
        durable: bool = True,
    ) -> None:
        if next(left, None) is None:
            original(files, location, content[: len(content) // 2], durable=False)
            raise PulledPlugError
        original(files, location, content, replace=replace, durable=durable)

    monkeypatch.setattr(CatalogFiles, "write", write)


def steps(shop: Shop) -> Iterator[int]:
    files = sum(len(content(shop, table).files) for table in TABLES)
    yield from random.Random(4).sample(range(files), 8)  # noqa: S311 - no secret


def test_pulled_at_any_file_nothing_is_visible_and_resume_finishes(shop: Shop):
    for step in steps(shop):
        print("pulled before file", step)  # noqa: T201
        target = shop.target(f"pulled-{step}")
        with pytest.MonkeyPatch.context() as patch:
            written_until(step, patch)
            with pytest.raises(PulledPlugError):
                shop.restore(target)
        assert tables_in(target) == {}
        with pytest.raises(ConfigurationError, match="not finished"):
            restore(shop.repository, target, shop.plan(target))
        again = begun_restore(shop.repository, target, Wanted())
        restore(shop.repository, target, again, resume=True)
        assert rows_in(target) == shop.rows
        assert RestoreJournal(target).read() is None


def test_what_a_kill_left_is_read_again_and_not_trusted(shop: Shop):
    target = shop.target()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restoring.Registration, "run", pulled)
        with pytest.raises(PulledPlugError):
            shop.restore(target)
    half = next(p for p in table_files(target) if p.suffix == ".parquet")
    half.write_bytes(bytes(half.stat().st_size))
    plan = begun_restore(shop.repository, target, Wanted())
    restore(shop.repository, target, plan, resume=True)
    assert rows_in(target) == shop.rows


def pulled(*_: object) -> None:
    raise PulledPlugError


def test_pulled_between_two_registrations_the_first_is_kept_with_what_was_added(shop: Shop):
    target = shop.target()
    with pytest.MonkeyPatch.context() as patch:
        calls = iter([registering_restored.register_table])
        patch.setattr(
            registering_restored,
            "register_table",
            lambda *args: next(calls, pulled)(*args),
        )
        with pytest.raises(PulledPlugError):
            shop.restore(target)
    assert [str(table) for table in tables_in(target)] == ["shop.orders"]
    with opened(target.settings) as lake:
        table = lake.catalog.load_table("shop.orders")
        table.append(table.scan(limit=1).to_arrow())
    plan = begun_restore(shop.repository, target, Wanted())
    restore(shop.repository, target, plan, resume=True)
    rows = rows_in(target)
    assert len(rows.pop("shop.orders")) == len(shop.rows["shop.orders"]) + 1
    assert rows == {name: shop.rows[name] for name in TABLES[1:]}


def test_resume_is_of_what_was_begun(shop: Shop):
    target = shop.target()
    with pytest.raises(ConfigurationError, match="no restore to resume"):
        begun_restore(shop.repository, target, Wanted())
    with pytest.MonkeyPatch.context() as patch:
        written_until(1, patch)
        with pytest.raises(PulledPlugError):
            shop.restore(target)
    with pytest.raises(ConfigurationError, match="interrupted restore is of recovery point 1"):
        begun_restore(shop.repository, target, Wanted(point=2))


def test_an_existing_table_is_refused(shop: Shop):
    target = shop.target()
    shop.restore(target)
    before = tables_in(target)
    again = shop.plan(target)
    assert again.tables == ()
    assert {one.why for one in again.refused} == {f"there is a table {t} already" for t in TABLES}
    assert tables_in(target) == before


def test_a_file_in_the_way_is_refused(shop: Shop):
    target = shop.target()
    plan = shop.plan(target)
    taken = Path(plan.tables[0].pointer.removeprefix("file://"))
    taken.parent.mkdir(parents=True)
    taken.write_text("mine")
    target = find_again(shop)
    assert [one.table for one in shop.plan(target).refused] == [str(plan.tables[0].source)]
    with pytest.raises(PermanentError, match="there is a file already"):
        restore(shop.repository, target, plan)
    assert taken.read_text() == "mine"
    assert tables_in(target) == {}


def find_again(shop: Shop):
    (shop.folder / "new").mkdir(exist_ok=True)
    return shop.target()


def test_a_copy_beside_its_original_is_a_table_of_its_own(shop: Shop):
    target = shop.target()
    shop.restore(target)
    shop.restore(target, RENAMED)
    rows = rows_in(target)
    assert rows["copy.things"] == shop.rows["shop.things"]
    assert rows["copy.stock_things"] == shop.rows["stock.things"]
    with opened(target.settings) as lake:
        uuids = [
            str(lake.catalog.load_table(t.identifier).metadata.table_uuid) for t in lake.tables()
        ]
        owner = lake.catalog.load_namespace_properties("copy")["owner"]
    assert len(set(uuids)) == 6
    assert owner == "ann"


def test_a_replaced_table_stays_reachable_by_its_recorded_pointer(tmp_path: Path):
    shop = make_shop(tmp_path, properties={"dp.adopted": "true"})
    target = shop.target()
    shop.restore(target)
    old = tables_in(target)[TableId("shop", "things")]
    with opened(target.settings) as lake:
        lake.catalog.load_table("shop.things").delete("id > 3")
        newer = lake.catalog.load_table("shop.things").metadata_location
    shop.restore(target, Wanted(tables=("shop.things",), replace=True))
    assert rows_in(target) == shop.rows
    said = [json.loads(line) for line in trash_journal(target.settings).read_text().splitlines()]
    assert [(one["table"], one["old_pointer"]) for one in said] == [("shop.things", newer)]
    assert Path(newer.removeprefix("file://")).exists()
    assert Path(old.removeprefix("file://")).exists()


def test_a_foreign_table_is_never_replaced(shop: Shop):
    target = shop.target()
    shop.restore(target)
    before = tables_in(target)
    with pytest.raises(PermanentError, match="is foreign"):
        shop.restore(target, Wanted(tables=("shop.things",), replace=True))
    assert tables_in(target) == before
    assert not trash_journal(target.settings).exists()


def test_two_restores_at_once_end_as_one(shop: Shop):
    """The second one waits no longer than it is told, and touches nothing."""
    target = shop.target()
    plan = shop.plan(target)
    initialise(target.settings)
    limits = target.settings.leases.model_copy(update={"wait_seconds": 0})
    hasty = replace(target, settings=target.settings.model_copy(update={"leases": limits}))
    with opened(target.settings) as lake:
        lake.leases.acquire(restoring.LEASE, owner="somebody", ttl_ms=60_000, wait_ms=0)
        with pytest.raises(TransientError, match="somebody"):
            restore(shop.repository, hasty, plan)
    assert tables_in(target) == {}
    assert RestoreJournal(target).read() is None
