"""`dp doctor` about recovery, on real lakehouses with and without a repository."""

import json

import pytest

from dp_assets.cli.main import main
from dp_assets.core.units import now_ms
from dp_assets.usecases.backup.drilling import DrillWanted, drill
from dp_assets.usecases.backup.making_repository import NewKeys, init_repository
from dp_assets.usecases.backup.repositories import open_for_writing
from dp_assets_tests.adapters import real_lakehouse as real
from dp_assets_tests.usecases.backup import backups


@pytest.fixture
def found(tmp_path, monkeypatch, capsys):
    """Run `dp doctor`; its exit code and what it says about recovery, by severity."""
    monkeypatch.setenv("DP_CONFIG", str(tmp_path / "lakehouse.yaml"))
    monkeypatch.delenv("DP_STATE", raising=False)

    def run():
        capsys.readouterr()
        code = main(["doctor", "--json"])
        findings = json.loads(capsys.readouterr().out)["findings"]
        about = [f for f in findings if f["area"] == "recovery"]
        return code, {(f["severity"], f["subject"]): f"{f['what']}; {f['hint']}" for f in about}

    return run


def test_a_fresh_lakehouse_is_told_how_to_get_one_and_nothing_is_made(found, tmp_path):
    real.make_lakehouse(tmp_path)
    before = real.content(tmp_path)
    code, said = found()
    assert (code, list(said)) == (0, [("ok", "repository")])
    assert "'dp repo init'" in said["ok", "repository"]
    assert real.content(tmp_path) == before


def test_before_the_first_point_after_it_and_after_the_first_drill(found, tmp_path):
    settings = backups.lakehouse(tmp_path, commits=1)
    before = real.content(tmp_path)
    code, said = found()
    assert code == 0
    assert set(said) == {
        ("ok", "repository"),
        ("ok", "repository's disk"),
        ("warn", "recovery points"),
    }
    assert real.content(tmp_path) == before

    backups.backup(settings)
    assert ("warn", "drills") in found()[1]

    drill(settings, open_for_writing(settings), DrillWanted(), run_id="test", spool=None)
    code, said = found()
    assert code == 0
    assert "warn" not in {severity for severity, _ in said}
    assert said["ok", "recovery points"].startswith("point 1 of ")


def test_a_repository_inside_the_warehouse_is_an_error(found, tmp_path):
    real.settings_in(tmp_path, 'repository:\n  url: "{state}/warehouse/backups"\n')
    code, said = found()
    assert code == 1
    assert "lie in each other" in said["error", "repository"]


def test_a_damaged_repository_is_an_error(found, tmp_path):
    settings = backups.lakehouse(tmp_path, commits=1)
    for file in backups.root_of(settings).glob("repository*.json"):
        file.write_bytes(b"{")
    code, said = found()
    assert code == 1
    assert ("error", "repository") in said


def test_a_key_that_others_can_read_is_a_warning_and_a_lost_one_an_error(found, tmp_path):
    key = tmp_path / "keys" / "identity.key"
    settings = real.make_lakehouse(tmp_path, commits=1)
    keys = NewKeys(naming_key=tmp_path / "keys" / "naming.key", identity=key)
    init_repository(settings, keys=keys, now_ms=now_ms())
    real.settings_in(tmp_path, f"repository:\n  identity_files: [{key}]\n")
    assert ("warn", "private key") not in found()[1]
    key.chmod(0o644)
    code, said = found()
    assert code == 0
    assert f"{key} is open to others, mode 0644; chmod 600 {key}" in said["warn", "private key"]
    key.unlink()
    code, said = found()
    assert code == 1
    assert str(key) in said["error", "repository"]


def test_a_replica_that_cannot_be_looked_at_is_a_warning(found, tmp_path):
    settings = backups.lakehouse(tmp_path, commits=1)
    backups.backup(settings)
    (settings.state_dir / "second").mkdir()
    (settings.state_dir / "second" / "repository.json").write_bytes(b"{")
    real.settings_in(tmp_path, 'replica:\n  url: "{state}/second"\n')
    code, said = found()
    assert code == 0
    assert str(settings.state_dir / "second") in said["warn", "replica"]
