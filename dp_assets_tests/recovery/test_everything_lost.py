"""The whole lakehouse is gone; a repository, perhaps a key, and an empty folder are what is left.

No settings of the source exist any more: the commands run in a folder of their own, with an
environment that names at most credentials for a bucket.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from dp_assets.lakehouse import opened
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.making_repository import NewKeys, init_repository
from dp_assets_tests.faults.tracing import strace
from dp_assets_tests.recovery.lakes import (
    SHOP,
    ZOO,
    add_zoo,
    change,
    command,
    environment,
    fill,
    ids,
    readings,
    run,
    write_settings,
)
from dp_assets_tests.services import S3
from dp_assets_tests.usecases.backup.backups import backup
from dp_assets_tests.usecases.backup.readings import Readings

OPENING = "open,openat,stat,newfstatat,statx,access,faccessat2,readlink,unlink,rename"
TABLES = {*SHOP, *(f"zoo.{name}" for name in ZOO)}


def destroyed(settings: Settings, folder: Path) -> dict[str, Readings]:
    """Back up, then delete catalog, warehouse, state and settings; what every table said."""
    before = readings(settings)
    assert set(before) == TABLES
    assert backup(settings).record.complete
    shutil.rmtree(folder)
    return before


def point_at(config: Path, more: str) -> Settings:
    """What a person adds to the lakehouse.yaml that the restore made."""
    config.write_text(f"{config.read_text()}{more}")
    return load_settings(config, env={})


def require_usable(config: Path, folder: Path, env: Mapping[str, str]) -> None:
    """Append, delete, query and back up, the last two by the command line."""
    with opened(load_settings(config, env={})) as lake:
        before = ids(lake)
        change(lake)
        assert ids(lake) == [*before, 201, 202, 203, 204]
        assert len(ids(lake, "shop.later")) == 24
    dp = command("--config", str(config))
    asked = run(
        *dp,
        *("query", "SELECT count(*) AS n FROM shop.things", "--format", "csv"),
        cwd=folder,
        env=env,
    )
    assert asked.out.split() == ["n", str(len(before) + 4)], asked.err
    made = run(*dp, "backup", "--json", cwd=folder, env=env)
    assert made.code == 0, made.err
    said = json.loads(made.out)
    assert (said["complete"], said["tables"]) == (True, len(TABLES) + 1)
    whole = run(*dp, "verify", "--full", "--json", cwd=folder, env=env)
    assert whole.code == 0, whole.out + whole.err


def test_rebuilt_from_a_folder_without_opening_a_path_of_the_old_one(tmp_path: Path):
    old, new, elsewhere = tmp_path / "old", tmp_path / "new", tmp_path / "elsewhere"
    elsewhere.mkdir()
    settings = write_settings(old / "lakehouse.yaml", repository=str(tmp_path / "repository"))
    fill(settings)
    add_zoo(settings, tmp_path)
    init_repository(settings, keys=None, now_ms=1)
    before = destroyed(settings, old)
    trace = tmp_path / "trace.txt"
    words = ("restore", "--repository", str(tmp_path / "repository"), "--to", str(new), "--json")
    said = run(*strace(OPENING, trace), *command(*words), cwd=elsewhere)
    assert said.code == 0, said.err
    assert {one["restored_as"] for one in json.loads(said.out)["tables"]} == TABLES
    lines = trace.read_text(errors="replace").splitlines()
    assert [line for line in lines if f'"{old}' in line] == []
    assert sum(f'"{new}/warehouse/' in line for line in lines) > 100
    restored = load_settings(new / "lakehouse.yaml", env={})
    assert readings(restored) == before
    point_at(new / "lakehouse.yaml", f"\nrepository:\n  url: {tmp_path}/repository\n")
    require_usable(new / "lakehouse.yaml", elsewhere, environment())
    assert not old.exists()
    assert list(elsewhere.iterdir()) == []


def test_rebuilt_from_an_encrypted_bucket_by_address_and_key_alone(tmp_path: Path, s3: S3):
    old, new, elsewhere = tmp_path / "old", tmp_path / "new", tmp_path / "elsewhere"
    elsewhere.mkdir()
    url, identity, naming = f"{s3.url}/backups", tmp_path / "me.key", tmp_path / "naming.key"
    given = {"repository": url, "repository_s3": s3.properties}
    settings = write_settings(old / "lakehouse.yaml", **given)
    fill(settings)
    add_zoo(settings, tmp_path)
    made = init_repository(settings, keys=NewKeys(naming, identity), now_ms=1)
    sealed = f"  recipients: [{made.recipients[0]}]\n  naming_key: file:{naming}"
    before = destroyed(write_settings(old / "lakehouse.yaml", **given, more=sealed), old)
    words = ("restore", "--repository", url, "--to", str(new), "--json")
    env = environment(s3.properties)
    refused = run(*command(*words), cwd=elsewhere, env=env)
    assert (refused.code, "no private key was given" in refused.err) == (2, True), refused.err
    assert not new.exists()
    said = run(*command(*words, "--key", str(identity)), cwd=elsewhere, env=env)
    assert said.code == 0, said.err
    assert "AGE-SECRET-KEY" not in said.out + said.err
    assert readings(load_settings(new / "lakehouse.yaml", env={})) == before
    point_at(new / "lakehouse.yaml", f"\nrepository:\n  url: {url}\n{sealed}\n")
    require_usable(new / "lakehouse.yaml", elsewhere, env)
    assert list(elsewhere.iterdir()) == []
