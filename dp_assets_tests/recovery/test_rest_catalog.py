"""Into a REST catalog and out of one: real servers, each with its own rules."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField
from pyiceberg.view.metadata import ViewVersion

from deploy.dev.processes import free_ports
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.metastore import REPEATED
from dp_assets.settings import Settings
from dp_assets.usecases.backup import restoring
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.backup.repositories import open_for_reading
from dp_assets.usecases.backup.restore_journal import RestoreJournal
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import Target, find_target
from dp_assets.usecases.backup.restoring import begun_restore, restore
from dp_assets.usecases.backup.undropping import plan_undrop, undrop
from dp_assets.usecases.initialising import initialise
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.cli.things import make_things, things
from dp_assets_tests.recovery.lakes import add_zoo, change, fill, ids, write_settings
from dp_assets_tests.recovery.rest_lakes import rest_settings
from dp_assets_tests.services import Rest
from dp_assets_tests.usecases.backup.backups import backup, line_of
from dp_assets_tests.usecases.backup.readings import Readings, fingerprint
from dp_assets_tests.usecases.backup.test_restoring import PulledPlugError, pulled

THINGS = "shop.things"
SCHEMA = Schema(NestedField(1, "id", LongType(), required=False))
BIG = {
    "version-id": 1,
    "schema-id": 0,
    "timestamp-ms": 1_000,
    "summary": {"engine-name": "spark"},
    "representations": [
        {"type": "sql", "sql": "SELECT id FROM shop.things WHERE id > 10", "dialect": "spark"}
    ],
    "default-namespace": ["shop"],
}


def lake_on_disk(folder: Path, *, zoo: bool = False) -> Settings:
    """Tables of PyIceberg, and of Spark if wanted, in a folder, and a recovery point of them."""
    settings = write_settings(folder / "old" / "lakehouse.yaml", repository=f"{folder}/repository")
    fill(settings)
    if zoo:
        add_zoo(settings, folder)
    with opened(settings) as lake:
        lake.catalog.update_namespace_properties("shop", updates={"owner": "ann"})
        lake.catalog.create_namespace("empty", {"why": "not yet"})
    init_repository(settings, keys=None, now_ms=1)
    assert backup(settings).record.complete
    return settings


def lake_behind(folder: Path, rest: Rest) -> Settings:
    """``shop.things`` of three snapshots in a REST catalog, and a recovery point of it."""
    settings = rest_settings(folder / "lakehouse.yaml", rest, repository=f"{folder}/repository")
    initialise(settings)
    with opened(settings) as lake:
        table = make_things(lake.catalog)
        table.transaction().set_properties({"dp.adopted": "true"}).commit_transaction()
    init_repository(settings, keys=None, now_ms=1)
    return settings


def served(settings: Settings) -> dict[str, Readings]:
    """What a client of the catalog reads at every snapshot and ref: it opens no pointer."""
    found: dict[str, Readings] = {}
    with opened(settings) as lake:
        for one in (t for t in list_pointers(lake.catalog) if t.namespace != "ops"):
            table = lake.catalog.load_table(one.identifier)
            reads = found[str(one)] = {"current": fingerprint(table.scan().to_arrow())}
            for snapshot in table.snapshots():
                rows = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
                reads[f"snapshot {snapshot.snapshot_id}"] = fingerprint(rows)
            for name in table.refs():
                reads[f"ref {name}"] = fingerprint(table.scan().use_ref(name).to_arrow())
    return found


def make_view(catalog: Catalog, name: str) -> None:
    catalog.create_view(name, SCHEMA, ViewVersion.model_validate(BIG))


def view_of(catalog: Catalog, name: str) -> dict[str, Any]:
    metadata = catalog.load_view(name).metadata  # pyright: ignore[reportAttributeAccessIssue]
    versions = json.loads(metadata.model_dump_json(by_alias=True))["versions"]
    return {k: versions[0][k] for k in ("representations", "default-namespace", "summary")}


def begin(target: Target, settings: Settings) -> None:
    source = open_for_reading(settings)
    restore(source, target, plan_restore(source, target, Wanted()))


def test_a_lake_on_disk_becomes_one_behind_a_rest_catalog(
    tmp_path: Path, rest: Rest, dp: Dp
) -> None:
    source = lake_on_disk(tmp_path, zoo=True)
    target = rest_settings(tmp_path / "new" / "lakehouse.yaml", rest)
    said = dp("--config", str(source.path), "restore", "--to", str(target.path), "--json")
    assert (said.code, said.json["refused"]) == (0, []), said.err
    assert served(target) == served(source)
    with opened(target) as lake:
        assert lake.catalog.load_namespace_properties("shop")["owner"] == "ann"
        assert lake.catalog.load_namespace_properties("empty")["why"] == "not yet"
        assert lake.require_identity("test").lakehouse_id != source_id(source)
        assert all(p.startswith(rest.warehouse) for p in list_pointers(lake.catalog).values())
        rows = ids(lake)
        change(lake)
        assert ids(lake) == [*rows, 201, 202, 203, 204]


def source_id(settings: Settings) -> str:
    with opened(settings) as lake:
        return lake.require_identity("test").lakehouse_id


def test_by_addresses_alone_and_a_name_that_is_taken_is_refused(
    tmp_path: Path, rest: Rest, dp: Dp
) -> None:
    """The catalog's address and a place for the files; keys are those of the source's settings."""
    source = write_settings(
        tmp_path / "old" / "lakehouse.yaml",
        repository=f"{tmp_path}/repository",
        s3=rest.properties,
    )
    fill(source)
    init_repository(source, keys=None, now_ms=1)
    assert backup(source).record.complete
    words = ("--config", str(source.path), "restore", "--to", rest.uri, "--to", rest.warehouse)
    said = dp(*words, "--json")
    assert (said.code, said.json["refused"]) == (0, []), said.err
    target = find_target([rest.uri, rest.warehouse], source).settings
    before = served(target)
    assert before == served(source)
    again = dp(*words, "--table", THINGS)
    assert (again.code, "there is a table shop.things already" in again.err) == (3, True)
    assert served(target) == before
    replaced = dp(*words, "--replace", "--yes")
    assert (replaced.code, "keeps its pointers itself" in replaced.err) == (2, True)
    assert RestoreJournal(Target(target, rest.warehouse)).read() is None  # nothing was begun
    assert served(target) == before


def test_pulled_before_the_tables_are_registered_and_resumed(
    tmp_path: Path, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = lake_on_disk(tmp_path)
    target = find_target([], rest_settings(tmp_path / "new" / "lakehouse.yaml", rest))
    with monkeypatch.context() as patch:
        patch.setattr(restoring.Registration, "run", pulled)
        with pytest.raises(PulledPlugError):
            begin(target, source)
    assert served(target.settings) == {}
    repository = open_for_reading(source)
    plan = begun_restore(repository, target, Wanted())
    assert not restore(repository, target, plan, resume=True).refused
    assert served(target.settings) == served(source)


def test_out_of_a_rest_catalog_and_back_into_it(tmp_path: Path, rest: Rest, dp: Dp) -> None:
    settings = lake_behind(tmp_path / "old", rest)
    outcome = backup(settings)
    assert (outcome.manifest.cut, outcome.record.complete) == (REPEATED, True)
    before = served(settings)
    with opened(settings) as lake:
        lake.catalog.drop_table(THINGS)
        lake.catalog.drop_namespace("shop")
    drilled = dp("--config", str(settings.path), "drill", "--json")
    assert (drilled.code, drilled.json["proven"]) == (0, True), drilled.err
    said = dp("--config", str(settings.path), "undrop", THINGS, "--yes")
    assert said.code == 0, said.err
    assert served(settings) == before
    with opened(settings) as lake:
        lake.catalog.load_table(THINGS).append(things(50, 55))
        newer = served(settings)
        source = open_for_reading(settings)
        with pytest.raises(PermanentError, match="does not know"):
            plan_undrop(lake, source, THINGS, Wanted())
        with pytest.raises(ConfigurationError, match="keeps its pointers itself"):
            plan_undrop(lake, source, THINGS, Wanted(replace=True))
    assert served(settings) == newer


def test_a_view_is_named_where_the_server_has_none(
    tmp_path: Path, seaweed_rest: Rest, rest: Rest, dp: Dp
) -> None:
    settings = lake_behind(tmp_path / "old", seaweed_rest)
    with opened(settings) as lake:
        make_view(lake.catalog, "shop.big")
    assert backup(settings).record.complete
    new = rest_settings(tmp_path / "new" / "lakehouse.yaml", rest)
    for target in (new.path, tmp_path / "disk"):
        said = dp("--config", str(settings.path), "restore", "--to", str(target), "--json")
        assert (said.code, said.json["views_not_restored"]) == (0, ["shop.big"]), said.err
    assert served(new) == served(settings)


def test_a_view_comes_back_where_the_server_has_them(tmp_path: Path, seaweed_rest: Rest) -> None:
    settings = lake_behind(tmp_path / "old", seaweed_rest)
    with opened(settings) as lake:
        make_view(lake.catalog, "shop.big")
        known = view_of(lake.catalog, "shop.big")
    assert list(backup(settings).manifest.views) == ["shop.big"]
    with opened(settings) as lake:
        lake.catalog.drop_view("shop.big")
        lake.catalog.drop_table(THINGS)
        lake.catalog.drop_namespace("shop")
    target, source = find_target([], settings), open_for_reading(settings)
    done = restore(source, target, plan_restore(source, target, Wanted()))
    assert done.views == ()
    with opened(settings) as lake:
        assert view_of(lake.catalog, "shop.big") == known


def test_a_table_that_is_registered_and_not_served_is_not_called_restored(
    tmp_path: Path, seaweed_rest: Rest, dp: Dp
) -> None:
    """SeaweedFS 4.48 answers every question about such a table with an empty one."""
    settings = lake_behind(tmp_path / "old", seaweed_rest)
    line = line_of(backup(settings), TableId.parse(THINGS))
    assert (line.rows, line.problem) == (24, "")
    with opened(settings) as lake:
        lake.catalog.drop_table(THINGS)
    said = dp("--config", str(settings.path), "restore", "--json")
    assert said.code == 3, said.err
    [refused] = said.json["refused"]
    assert refused["table"] == THINGS
    assert "serves another table in its place" in refused["why"]
    with opened(settings) as lake:
        served_now = lake.catalog.load_table(THINGS)
        assert served_now.snapshots() == []
        require_undrop_says_it(lake, settings)


def require_undrop_says_it(lake: Lakehouse, settings: Settings) -> None:
    """Files come back into a namespace that is made first: this server takes none without it."""
    lake.catalog.drop_table(THINGS)
    lake.catalog.drop_namespace("shop")
    source = open_for_reading(settings)
    with pytest.raises(PermanentError, match="serves another table in its place"):
        undrop(lake, source, plan_undrop(lake, source, THINGS, Wanted()))


@pytest.mark.parametrize("wrong", ["nobody listens", "another password"])
def test_a_server_that_cannot_be_asked_is_one_clear_error(
    tmp_path: Path, seaweed_rest: Rest, dp: Dp, wrong: str
) -> None:
    source = lake_on_disk(tmp_path)
    if wrong == "nobody listens":
        broken = replace(seaweed_rest, uri=f"http://127.0.0.1:{free_ports(1)[0]}")
    else:
        broken = replace(seaweed_rest, more={**seaweed_rest.more, "credential": "admin:guess"})
    target = rest_settings(tmp_path / "new" / "lakehouse.yaml", broken)
    said = dp("--config", str(source.path), "restore", "--to", str(target.path))
    assert said.code == 3, said.err
    assert "open catalog lake" in said.err
    assert "guess" not in said.err
    assert not (tmp_path / "new" / "state").exists()
