"""What applies to a table, key by key, and who said so."""

import pytest
from pydantic import ValidationError

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.units import DAY_MS, GIB, HOUR_MS, MIB, MINUTE_MS
from dp_assets.domains.maintenance.rules import OperationRules, TableRules
from dp_assets.domains.maintenance.workload import Workload
from dp_assets.ports.maintenance import Operation
from dp_assets_tests.domains.maintenance.subjects import policy

COMPACTION, EXPIRY = Operation.COMPACTION, Operation.EXPIRY


def said(found, operation, key):
    one = found.operations[operation].key(key)
    return one.value, one.origin


def test_without_a_line_there_is_a_sensible_policy():
    found = policy()
    assert found.retention.max_age_ms == 7 * DAY_MS
    assert found.retention.min_snapshots == 7
    assert policy(workload=Workload.SLOW).retention.min_snapshots == 5
    assert found.orphan_age_ms == 72 * HOUR_MS
    for operation in Operation:
        one = found.operations[operation]
        assert (one.enabled, one.problem) == (True, "")
        assert one.memory_bytes == 400 * MIB
        assert one.timeout_ms == 120 * MINUTE_MS
        assert one.min_interval_ms == 6 * HOUR_MS
        assert one.window.is_open(0)
    assert {one.origin for one in found.operations[COMPACTION].said} == {
        "default",
        "workload batch",
    }


def test_every_key_of_every_rule_has_a_value():
    found = policy()
    for operation in Operation:
        keys = set(type(TableRules().of(operation)).model_fields)
        assert {one.key for one in found.operations[operation].said} == keys
        assert all(one.value is not None for one in found.operations[operation].said)


@pytest.mark.parametrize(
    ("workload", "partition_bytes", "target"),
    [
        (Workload.STREAMING, 100 * GIB, 128 * MIB),
        (Workload.BATCH, GIB, 128 * MIB),
        (Workload.BATCH, 20 * GIB, 256 * MIB),
        (Workload.SLOW, 100 * GIB, 512 * MIB),
        (Workload.DORMANT, GIB, 512 * MIB),
    ],
)
def test_the_target_follows_workload_and_partition(workload, partition_bytes, target):
    assert policy(workload=workload).target(partition_bytes) == target


@pytest.mark.parametrize(("given", "target"), [("64", 64 * MIB), ("auto", 512 * MIB)])
def test_a_rule_beats_the_workload(given, target):
    rules = {"*": {"compaction": {"target_mib": given}}}
    assert policy(rules, workload=Workload.STREAMING).target(100 * GIB) == target


RULES = {
    "*": {"expiry": {"keep_days": 30, "keep_snapshots": 3}, "compaction": {"memory_mib": 300}},
    "shop.*": {"expiry": {"keep_days": 20}, "compaction": {"window": "22:00-06:00"}},
    "shop.orders": {"expiry": {"keep_days": 10}},
    "*.customers": {"enabled": False},
}


@pytest.mark.parametrize(
    ("table", "days", "origin"),
    [
        ("shop.orders", 10, "maintenance.policies, 'shop.orders'"),
        ("shop.items", 20, "maintenance.policies, 'shop.*'"),
        ("raw.orders", 30, "maintenance.policies, '*'"),
    ],
)
def test_key_by_key_the_most_specific_rule_counts(table, days, origin):
    found = policy(RULES, table=table)
    assert said(found, EXPIRY, "keep_days") == (days, origin)
    assert found.retention.max_age_ms == days * DAY_MS
    assert said(found, EXPIRY, "keep_snapshots") == (3, "maintenance.policies, '*'")
    assert said(found, COMPACTION, "memory_mib") == (300, "maintenance.policies, '*'")


def test_a_whole_table_is_switched_off_by_one_line():
    found = policy(RULES, table="shop.customers")
    for operation in Operation:
        assert not found.operations[operation].enabled
        assert said(found, operation, "enabled") == (False, "maintenance.policies, '*.customers'")
    one = policy({"*": {"orphans": {"enabled": False}}})
    assert [one.operations[op].enabled for op in Operation] == [True, True, True, False]


def test_two_level_rules_that_contradict_each_other_are_refused_and_both_named():
    rules = {
        "sh*p.order*": {"expiry": {"keep_days": 1}},
        "shop*.orde*": {"expiry": {"keep_days": 2, "keep_snapshots": 9}},
    }
    with pytest.raises(ConfigurationError) as caught:
        policy(rules)
    assert "'sh*p.order*'" in caught.value.what
    assert "'shop*.orde*'" in caught.value.what
    assert "shop.orders" in caught.value.what
    assert caught.value.what.endswith("differ in expiry.keep_days")
    assert policy(rules, table="raw.orders").retention.max_age_ms == 7 * DAY_MS


def test_level_rules_that_agree_or_say_different_things_are_fine():
    rules = {
        "sh*p.order*": {"expiry": {"keep_days": 2}},
        "shop*.orde*": {"expiry": {"keep_days": 2, "keep_snapshots": 9}},
        "*hop.orders": {"compaction": {"memory_mib": 100}},
    }
    found = policy(rules)
    assert (found.retention.max_age_ms, found.retention.min_snapshots) == (2 * DAY_MS, 9)


def test_two_of_three_level_rules_are_found_wherever_they_stand():
    globs = ("sh*p.order*", "shop*.orde*", "shop.*rder*")
    for silent in globs:
        rules = {glob: {"expiry": {"keep_days": days}} for days, glob in enumerate(globs, 2)}
        rules[silent] = {"compaction": {"memory_mib": 100}}
        with pytest.raises(ConfigurationError):
            policy(rules)


def test_a_table_property_beats_every_rule():
    found = policy(
        RULES,
        properties={
            "dp.maintenance.expiry.keep_days": "3",
            "dp.maintenance.compaction.when": "small_files >= 2",
            "dp.maintenance.enabled": "false",
        },
    )
    assert said(found, EXPIRY, "keep_days") == (3, "property dp.maintenance.expiry.keep_days")
    assert found.operations[COMPACTION].when.clauses[0][0].threshold == 2
    assert said(found, COMPACTION, "enabled") == (False, "property dp.maintenance.enabled")
    assert found.operations[EXPIRY].problem == ""


@pytest.mark.parametrize(
    ("name", "value", "problem", "operations"),
    [
        (
            "expiry.keep_days",
            "seven",
            "'seven' is not a whole number from 0 to 36500",
            {EXPIRY},
        ),
        ("expiry.keep_dayz", "7", "unknown key; did you mean keep_days?", {EXPIRY}),
        ("compaction.window", "nights", "'nights' is not hours and weekdays in UTC", {COMPACTION}),
        ("compaction.target_mib", "0", "'0' is not a whole number of MiB", {COMPACTION}),
        ("compaction", "off", "unknown key", {COMPACTION}),
        ("compction.enabled", "true", "begins with none of expiry, manifests", set(Operation)),
        ("enabled", "perhaps", "'perhaps' is not true or false", set(Operation)),
    ],
)
def test_a_property_that_cannot_be_understood_stops_what_it_may_mean(
    name, value, problem, operations
):
    found = policy(properties={f"dp.maintenance.{name}": value})
    stopped = {op for op in Operation if found.operations[op].problem}
    assert stopped == operations
    for operation in operations:
        text = found.operations[operation].problem
        assert text.startswith(f"property dp.maintenance.{name}: {problem}")


def test_icebergs_own_retention_of_the_table_comes_first():
    found = policy(
        RULES,
        properties={
            "history.expire.max-snapshot-age-ms": str(36 * HOUR_MS),
            "history.expire.min-snapshots-to-keep": "2",
            "dp.maintenance.expiry.keep_days": "3",
        },
    )
    assert (found.retention.max_age_ms, found.retention.min_snapshots) == (36 * HOUR_MS, 2)
    assert said(found, EXPIRY, "keep_days") == (1.5, "property history.expire.max-snapshot-age-ms")
    broken = policy(properties={"history.expire.min-snapshots-to-keep": "some"})
    assert "'some' is not a whole number" in broken.operations[EXPIRY].problem
    assert broken.operations[COMPACTION].problem == ""


@pytest.mark.parametrize("table", ["ops.journal", "ops.deep.facts"])
def test_ops_tables_are_done_once_a_day_at_most(table):
    found = policy(table=table, properties={"dp.maintenance.compaction.min_interval_hours": "1"})
    assert {one.min_interval_ms for one in found.operations.values()} == {DAY_MS}
    assert said(found, COMPACTION, "min_interval_hours") == (24, "limit of ops tables")
    rare = {"ops.*": {"expiry": {"min_interval_hours": 48}}}
    assert policy(rare, table=table).operations[EXPIRY].min_interval_ms == 2 * DAY_MS
    assert policy(table="opsy.journal").operations[EXPIRY].min_interval_ms == 6 * HOUR_MS


def test_orphans_are_never_younger_than_a_day():
    with pytest.raises(ValidationError):
        TableRules.model_validate({"orphans": {"older_than_hours": 23}})


def test_rules_show_what_was_said_and_nothing_else():
    rules = TableRules.model_validate({"expiry": {"enabled": False}, "enabled": None})
    assert rules.model_dump() == {"expiry": {"enabled": False}}
    assert OperationRules().model_dump() == {}
