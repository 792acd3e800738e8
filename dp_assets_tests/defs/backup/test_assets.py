"""Recovery as assets, in a real lakehouse: what is in the repository, and what the checks say."""

import hashlib
import json

import pytest

from dp_assets.core.units import HOUR_MS
from dp_assets.defs.backup import checks
from dp_assets.orchestration.resources import LakehouseResource


def points(recovery):
    folder = recovery.repository / "points"
    return sorted(p.parent.name for p in folder.glob("*/point.json"))


def test_a_point_is_made_and_every_check_of_it_passes(recovery, verdicts):
    result = recovery.make("recovery_point")
    assert result.success
    assert points(recovery) == ["00000001"]
    assert verdicts(result) == dict.fromkeys(
        ["complete", "consistent_cut", "size_plausible", "fresh", "success_rate"], True
    )
    [made] = result.asset_materializations_for_node("backup__recovery_point")
    assert made.metadata["tables"].value == 2
    assert made.metadata["complete"].value is True


def test_several_points_may_belong_to_one_day(recovery):
    assert recovery.make("recovery_point").success
    assert recovery.make("recovery_point").success
    assert points(recovery) == ["00000001", "00000002"]


@pytest.mark.parametrize("name", ["recovery_point", "metastore_dump", "verification", "drill"])
def test_a_day_of_the_past_cannot_be_made(recovery, name):
    result = recovery.make(name, partition="2026-01-02")
    assert not result.success
    assert points(recovery) == []


def test_a_lost_file_makes_the_point_incomplete_and_the_run_red(recovery, verdicts):
    [lost] = recovery.data_files("shop.orders")
    lost.unlink()
    result = recovery.make("recovery_point")
    assert not result.success
    found = verdicts(result)
    assert not found["complete"]
    assert not found["fresh"]
    assert points(recovery) == ["00000001"]  # kept, shown red
    evaluation = next(e for e in result.get_asset_check_evaluations() if e.check_name == "complete")
    assert "shop.orders" in str(evaluation.metadata["incomplete"].value)
    assert "shop.items" not in str(evaluation.metadata["incomplete"].value)


def test_a_point_that_shrank_is_not_plausible(recovery, verdicts):
    recovery.make("recovery_point")
    text = recovery.config.read_text() + "backup: {exclude: [shop.orders]}\n"
    recovery.config.write_text(text)
    result = recovery.make("recovery_point")
    assert not result.success
    assert not verdicts(result)["size_plausible"]


def test_an_old_point_is_not_fresh(recovery, verdicts, monkeypatch):
    now = checks.now_ms
    monkeypatch.setattr(checks, "now_ms", lambda: now() + 2 * HOUR_MS)
    result = recovery.make("recovery_point")
    assert result.success  # the point is good; that it is old is another check's alarm
    assert not verdicts(result)["fresh"]


def test_a_dump_is_made_and_one_that_was_altered_is_caught(recovery, verdicts):
    result = recovery.make("metastore_dump")
    assert result.success
    assert verdicts(result) == {"dump_restores": True}
    [dump] = (recovery.config.parent / ".lakehouse" / "dumps").iterdir()
    database = next(dump.glob("*.db*"))
    database.write_bytes(database.read_bytes()[:-1])
    house = LakehouseResource(config_file=str(recovery.config))
    assert not checks.dump_restores(house).passed


def test_a_damaged_object_turns_the_verification_red(recovery, verdicts):
    recovery.make("recovery_point")
    assert verdicts(recovery.make("verification")) == {"undamaged": True}
    [source] = recovery.data_files("shop.orders")
    name = hashlib.sha256(source.read_bytes()).hexdigest()
    stored = recovery.repository / "objects" / name[:2] / name
    stored.write_bytes(stored.read_bytes()[:-1])
    result = recovery.make("verification")
    assert not result.success
    assert verdicts(result) == {"undamaged": False}
    [made] = result.asset_materializations_for_node("backup__verification")
    assert "shop.orders" in str(made.metadata["damaged"].value)


def test_a_drill_proves_the_newest_point(recovery, verdicts):
    recovery.make("recovery_point")
    result = recovery.make("drill")
    assert result.success
    assert verdicts(result) == {"proven": True, "rto_within": True, "rpo_within": True}
    [proof] = (recovery.repository / "proofs").rglob("*.json")
    said = json.loads(proof.read_text().splitlines()[0])
    assert said["point"] == 1
    assert said["proven"] is True
    assert set(said["tables"]) == {"shop.orders", "shop.items"}


def test_the_replica_holds_the_same_points(recovery, verdicts):
    recovery.make("recovery_point")
    result = recovery.make("replica")
    assert result.success
    assert verdicts(result) == {"lag_within": True}
    second = recovery.config.parent / "second"
    assert (second / "points" / "00000001" / "point.json").read_bytes() == (
        recovery.repository / "points" / "00000001" / "point.json"
    ).read_bytes()


def test_retention_forgets_what_no_rule_keeps(recovery):
    for _number in range(3):
        recovery.make("recovery_point")
    result = recovery.make("retention")
    assert result.success
    assert points(recovery) == ["00000003"]  # all of one day, week and month
