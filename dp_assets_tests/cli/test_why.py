"""`dp why` on real tables."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dp_assets
from dp_assets.core.units import iso_utc
from dp_assets.lakehouse import opened
from dp_assets_tests.cli.things import make_things, things

SETTINGS = """
maintenance:
  policies:
    "shop.*":
      compaction: {window: 00:00-24:00}
      expiry: {keep_snapshots: 2}
"""


@pytest.fixture
def table(home, dp):
    (home / "lakehouse.yaml").write_text(SETTINGS)
    dp("init")
    with opened() as lake:
        made = make_things(lake.catalog)
        with made.transaction() as change:
            change.set_properties(
                {"dp.adopted": "true", "dp.maintenance.orphans.min_interval_hours": "often"}
            )
        yield made


def test_policy_triggers_decision_and_where_each_came_from(dp, table):
    done = dp("why", "shop.things")
    assert done.code == 0, done.err
    assert done.out.startswith("shop.things: ours to maintain; workload slow\n")
    rows = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "compaction small_files 0 10 no" in rows
    assert "orphans age never done 7 d yes" in rows
    assert "compaction window 00:00-24:00 maintenance.policies, 'shop.*'" in rows
    assert "compaction target_mib auto workload slow" in rows
    assert "manifests memory_mib 400 default" in rows
    assert any("property dp.maintenance.orphans.min_interval_hours: 'often'" in r for r in rows)
    assert any(r.startswith("compaction no not by time alone no partition with 5") for r in rows)
    assert rows[-1] == "No attempt is recorded."


def test_one_operation_for_programs(dp, table):
    for number in range(10):
        table.append(things(number, number + 1))
    shown = dp("why", "shop.things", "expiry", "--json").json
    assert (shown["table"], shown["adopted"], shown["workload"]) == ("shop.things", True, "slow")
    [expiry] = shown["operations"]
    assert expiry["operation"] == "expiry"
    assert expiry["due"] is False
    assert expiry["next"].endswith("Z")
    assert expiry["triggers"][1] == [
        {
            "trigger": "age",
            "measured": None,
            "threshold": 604_800_000,
            "reached": True,
            "text": "age never done, 7 d is enough",
        }
    ]
    policy = {said["key"]: said for said in expiry["policy"]}
    assert policy["keep_snapshots"] == {
        "key": "keep_snapshots",
        "value": 2,
        "origin": "maintenance.policies, 'shop.*'",
    }


def test_what_is_due_says_so(dp, table):
    for number in range(10):
        table.append(things(number, number + 1))
    compaction = dp("why", "shop.things", "compaction", "--json").json["operations"][0]
    assert compaction["due"] is True
    assert compaction["next"] is None
    assert compaction["reasons"] == ["small_files 12, 10 is enough"]


def test_what_a_dead_process_has_left_is_said(dp, table):
    code = "from dp_assets.adapters.lease_owner import owner_text; print(owner_text('r'), end='')"
    command = [sys.executable, "-c", code]
    code_folder = Path(dp_assets.__file__).parents[1]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd=code_folder)
    owner = ran.stdout
    name, host = "maintenance/shop.things", os.uname().nodename
    with opened() as lake:
        until = iso_utc(
            lake.leases.acquire(name, owner=owner, ttl_ms=60_000, wait_ms=0).expires_at_ms
        )
    said = " ".join(dp("why", "shop.things").out.split())
    assert f"lease {name} was left by {host} pid " in said
    assert "which has ended: an operation on this machine takes it over at once" in said
    assert f"other machines wait until {until}" in said
    (left,) = dp("why", "shop.things", "--json").json["left_leases"]
    assert left == {"name": name, "owner": owner, "until": until}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop.thing",), "did you mean shop.things?"),
        (("shop.things", "vacuum"), "it is one of expiry, manifests, compaction, orphans"),
    ],
)
def test_wrong_names_are_bad_usage(dp, table, arguments, said):
    done = dp("why", *arguments)
    assert done.code == 2
    assert said in done.err
