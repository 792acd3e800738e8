"""Decisions about real tables: what is read from their metadata, and who is left out."""

import pytest

from dp_assets.adapters.iceberg_json import read_metadata
from dp_assets.adapters.local_files import local_path
from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, HOUR_MS, KIB, MIB, now_ms
from dp_assets.domains.maintenance.due import due
from dp_assets.domains.maintenance.workload import Workload
from dp_assets.lakehouse import opened
from dp_assets.ports.maintenance import Attempt, Operation, Outcome
from dp_assets.settings import load_settings
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.maintenance.deciding import commits_of, decide_tables, explain, policy_at
from dp_assets.usecases.maintenance.measuring import measure_health
from dp_assets_tests.cli.things import make_things, things

YAML = """
maintenance:
  policies:
    "shop.*":
      compaction: {when: small_files >= 5, min_interval_hours: 1}
      orphans: {enabled: no}
    "t*.same": {expiry: {keep_days: 1}}
    "*t.same": {expiry: {keep_days: 2}}
"""


@pytest.fixture
def lake(tmp_path):
    file = tmp_path / "lakehouse.yaml"
    file.write_text(YAML)
    settings = load_settings(file, env={})
    initialise(settings)
    with opened(settings) as found:
        yield found


def make_adopted(lake, name="things", **properties):
    table = make_things(lake.catalog, "shop", name)
    with table.transaction() as change:
        change.set_properties({"dp.adopted": "true"} | properties)
    for number in range(6):
        table.append(things(number, number + 1), snapshot_properties={})
    return table


def none(_):
    return ()


def explained(lake, name, *, at_ms=None, attempts=none):
    at_ms = at_ms or now_ms()
    return explain(
        lake,
        name,
        health=lambda table: measure_health(lake, table, now_ms=at_ms),
        attempts=attempts,
        now_ms=at_ms,
    )


def decided(lake, *names, at_ms=None):
    at_ms = at_ms or now_ms()
    return decide_tables(
        lake,
        [TableId.parse(name) for name in names],
        health=lambda table: measure_health(lake, table, now_ms=at_ms),
        attempts=none,
        now_ms=at_ms,
    )


def test_a_fragmented_table_of_ours_is_due_for_compaction_and_nothing_else(lake):
    make_adopted(lake)
    found = explained(lake, "shop.things")
    assert [d.operation for d in found.decisions] == list(Operation)
    assert [d.operation for d in due(found.decisions)] == [Operation.COMPACTION]
    assert found.subject.policy.workload is Workload.SLOW


def test_a_foreign_table_is_never_due(lake):
    table = make_things(lake.catalog)
    for number in range(6):
        table.append(things(number, number + 1))
    found = explained(lake, "shop.things", at_ms=now_ms() + 400 * DAY_MS)
    assert due(found.decisions) == ()
    assert all("'dp adopt shop.things'" in d.reasons[0] for d in found.decisions)


def test_commits_of_maintenance_are_told_from_others(lake):
    table = make_adopted(lake)
    table.append(things(0, 1), snapshot_properties={"dp.operation": "compaction"})
    table.append(things(0, 1), snapshot_properties={"dp.operation": "write"})
    metadata = read_metadata(table.io, table.metadata_location)
    found = commits_of(metadata)
    assert [commit.is_ours for commit in found][-2:] == [True, False]
    assert not any(commit.is_ours for commit in found[:-2])
    assert [c.timestamp_ms for c in found] == [s.timestamp_ms for s in table.snapshots()]


def test_what_ran_since_the_last_commit_is_not_due_again_until_somebody_writes(lake):
    table = make_adopted(lake)
    at_ms = now_ms() + 2 * HOUR_MS
    ran = Attempt(
        "shop.things",
        str(table.metadata.table_uuid),
        Operation.COMPACTION,
        Outcome.DONE,
        started_at_ms=now_ms() + 1,
        finished_at_ms=now_ms() + 2,
        pointer=table.metadata_location,
        run_id="r",
    )
    first = explained(lake, "shop.things", at_ms=at_ms, attempts=lambda _: [ran])
    assert due(first.decisions) == ()
    table.append(things(0, 1))
    again = explained(lake, "shop.things", at_ms=at_ms, attempts=lambda _: [ran])
    assert [d.operation for d in due(again.decisions)] == [Operation.COMPACTION]


def test_a_table_property_that_makes_no_sense_is_a_reason_and_no_crash(lake):
    make_adopted(lake, **{"dp.maintenance.compaction.when": "always"})
    decisions = explained(lake, "shop.things").decisions
    assert due(decisions) == ()
    [compaction] = [d for d in decisions if d.operation is Operation.COMPACTION]
    assert compaction.reasons[0].startswith("property dp.maintenance.compaction.when: 'always' is")


def test_somebody_at_work_on_a_table_is_waited_for(lake):
    make_adopted(lake)
    with lake.lease("table/shop.things", doing="compact shop.things"):
        found = explained(lake, "shop.things")
    assert due(found.decisions) == ()
    [compaction] = [d for d in found.decisions if d.operation is Operation.COMPACTION]
    assert "compact shop.things" in compaction.reasons[0]
    assert compaction.next_ms > now_ms()


def test_one_table_that_cannot_be_judged_stops_no_other(lake):
    make_adopted(lake)
    broken = make_adopted(lake, "broken")
    local_path(broken.metadata_location).write_bytes(b"")
    lake.catalog.create_namespace("tt")
    make_things(lake.catalog, "tt", "same")
    found = decided(lake, "shop.broken", "tt.same", "shop.things")
    assert [(str(d.table), d.operation) for d in due(found)] == [
        ("shop.things", Operation.COMPACTION)
    ]
    reasons = {str(d.table): d.reasons[0] for d in found if not d.due}
    assert "is empty" in reasons["shop.broken"]
    assert "'t*.same'" in reasons["tt.same"]
    assert "'*t.same'" in reasons["tt.same"]
    assert len(found) == 12


def test_two_rules_that_contradict_each_other_are_named(lake):
    lake.catalog.create_namespace("tt")
    table = make_things(lake.catalog, "tt", "same")
    with pytest.raises(ConfigurationError, match=r"equally specific for tt\.same"):
        explained(lake, "tt.same")
    with pytest.raises(ConfigurationError):
        policy_at(lake, TableId("tt", "same"), table.metadata_location, now_ms=now_ms())


def test_a_wrong_name_gets_the_nearest_one(lake):
    make_adopted(lake)
    with pytest.raises(ConfigurationError, match=r"did you mean shop\.things"):
        explained(lake, "shop.thing")


def test_looking_changes_nothing(lake):
    table = make_adopted(lake)
    root = local_path(lake.settings.warehouse.root)
    before = sorted(root.rglob("*"))
    explained(lake, "shop.things")
    decided(lake, "shop.things")
    assert sorted(root.rglob("*")) == before
    assert lake.catalog.load_table("shop.things").metadata_location == table.metadata_location


def test_health_is_measured_by_the_sizes_that_the_policy_wants(lake):
    table = TableId("shop", "things")
    make_adopted(lake)
    files = lake.catalog.load_table(table.identifier).scan().plan_files()
    largest = max(task.file.file_size_in_bytes for task in files)
    assert largest < 64 * KIB
    assert measure_health(lake, table, now_ms=now_ms()).small_files == 8
    with lake.catalog.load_table(table.identifier).transaction() as change:
        change.set_properties({"dp.maintenance.compaction.target_mib": "1"})
    (partition,) = measure_health(lake, table, now_ms=now_ms()).partitions
    assert partition.target_bytes == MIB


@pytest.mark.parametrize(("min_inputs", "is_due"), [(8, True), (9, False)])
def test_a_table_says_how_many_small_files_are_worth_rewriting(lake, min_inputs, is_due):
    make_adopted(lake, **{"dp.maintenance.compaction.min_inputs": str(min_inputs)})
    decision = explained(lake, "shop.things").decisions[list(Operation).index(Operation.COMPACTION)]
    assert decision.due is is_due
    if not is_due:
        assert decision.reasons[0] == "no partition with 9 small files, and no deletes"
