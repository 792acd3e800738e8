"""What holds for every table, policy and past: seeded, each seed is the test's id."""

import random

import pytest

from dp_assets.core.units import DAY_MS, GIB, HOUR_MS, MIB
from dp_assets.domains.maintenance.due import decide, due
from dp_assets.domains.maintenance.fleet import Budget, decide_fleet
from dp_assets.domains.maintenance.why import WITH_A_CHANGE, next_text, reason_text
from dp_assets.domains.maintenance.workload import Commit
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets_tests.domains.maintenance.subjects import (
    NOW,
    attempt,
    health,
    lease,
    partition,
    subject,
)

LIMITS = (
    *("small_files >= 10", "small_share >= 50%", "delete_ratio >= 30%", "snapshots >= 3"),
    *("manifests >= 20", "age >= 1 d", "age >= 12 h", "bytes >= 8 MiB"),
)
WINDOWS = ("always", "22:00-06:00 mon-fri", "02:00-03:00", "sat,sun", "23:59-00:01 wed")
OUTCOMES = (Outcome.DONE, Outcome.NOTHING, Outcome.NOTHING, Outcome.FAILED, Outcome.REFUSED)


def condition(pick):
    clauses = [pick.sample(LIMITS, pick.randrange(1, 3)) for _ in range(pick.randrange(1, 3))]
    return " or ".join(" and ".join(clause) for clause in clauses)


def rules(pick):
    said = {"enabled": pick.random() < 0.97}
    for operation in Operation:
        said[operation.value] = {
            "enabled": pick.random() < 0.9,
            "when": condition(pick),
            "window": pick.choice(WINDOWS),
            "min_interval_hours": pick.randrange(30),
        }
    return said | {"expiry": {**said["expiry"], "keep_snapshots": pick.randrange(1, 9)}}


def past(pick, table):
    return [
        attempt(
            pick.choice(list(Operation)),
            pick.uniform(0.1, 200),
            pick.choice(OUTCOMES),
            table=table,
            uuid=pick.choice(("u-1", "u-1", "u-1", "u-0")),
            pointer=pick.choice(("p-now", "p-then", "p-then")),
            before={"bytes": pick.randrange(64 * MIB)},
        )
        for _ in range(pick.randrange(12))
    ]


def anything(pick, table):
    parts = [
        partition(
            f"d={n}",
            small_files=pick.randrange(9),
            files=pick.randrange(9, 12),
            deleted_rows=pick.choice((0, 0, 500)),
        )
        for n in range(pick.randrange(4))
    ]
    written = sorted(NOW - pick.randrange(20 * DAY_MS) for _ in range(pick.randrange(1, 30)))
    return subject(
        health(*parts, table=table, manifests=pick.randrange(40), old_bytes=pick.randrange(GIB)),
        table=table,
        adopted=pick.random() < 0.95,
        rules=rules(pick),
        written=tuple(Commit(at_ms, pick.random() < 0.3) for at_ms in written),
        done=past(pick, table),
    )


def picked(seed):
    return random.Random(seed)  # noqa: S311 - no secret


def table_of(pick):
    return pick.choice(("shop.orders", "shop.orders", "ops.journal"))


@pytest.mark.parametrize("seed", range(300))
def test_the_next_time_is_exact(seed):
    """Nothing but time passing: not before ``next_ms``, then yes, and never without one."""
    pick = picked(seed)
    one = anything(pick, table_of(pick))
    leases = [lease(f"table/{one.table}", pick.randrange(300))] if pick.random() < 0.3 else []
    for operation in Operation:
        found = decide(one, operation, now_ms=NOW, leases=leases)
        if found.due:
            continue
        end_ms = found.next_ms or NOW + 50 * DAY_MS
        for at_ms in [end_ms - 1, *(pick.randrange(NOW, end_ms) for _ in range(20))]:
            assert not decide(one, operation, now_ms=at_ms, leases=leases).due
        if found.next_ms is not None:
            assert found.next_ms > NOW
            assert decide(one, operation, now_ms=found.next_ms, leases=leases).due


@pytest.mark.parametrize("seed", range(100))
def test_why_says_what_is_done(seed):
    """The answer for one table alone is that for the fleet, but for the hour's budget."""
    pick = picked(seed)
    tables = [anything(pick, f"{table_of(pick)}{n}") for n in range(6)]
    budget = Budget(tables=pick.randrange(1, 5), bytes=pick.choice((MIB, 64 * MIB, GIB)))
    recent = [one for table in tables for one in table.attempts]
    fleet = decide_fleet(tables, budget=budget, recent=recent, leases=(), now_ms=NOW)
    begun = {(d.table, d.operation) for d in due(fleet)}
    rich = Budget(tables=10**6, bytes=10**18)
    for table in tables:
        alone = decide_fleet([table], budget=rich, recent=(), leases=(), now_ms=NOW)
        assert {d.operation for d in alone} == set(Operation)
        for decision in fleet:
            if decision.table != table.table:
                continue
            assert decision.due is ((decision.table, decision.operation) in begun)
            assert (next_text(decision) == "now") is decision.due
            assert reason_text(decision)
            if not decision.due:
                assert next_text(decision) == WITH_A_CHANGE or decision.next_ms > NOW
            own = next(d for d in alone if d.operation is decision.operation)
            assert own == decision or "the hour's budget" in decision.reasons[0]


@pytest.mark.parametrize("seed", range(100))
def test_the_fleet_keeps_to_its_bounds(seed):
    pick = picked(seed)
    tables = [anything(pick, f"{table_of(pick)}{n}") for n in range(12)]
    budget = Budget(tables=pick.randrange(1, 8), bytes=pick.choice((MIB, 64 * MIB, GIB)))
    recent = [one for table in tables for one in table.attempts]
    begun = due(decide_fleet(tables, budget=budget, recent=recent, leases=(), now_ms=NOW))
    assert len({d.table for d in begun}) == len(begun)
    assert [d.score for d in begun] == sorted((d.score for d in begun), reverse=True)
    hour = {a.table for a in recent if a.started_at_ms > NOW - HOUR_MS}
    assert len(hour | {str(d.table) for d in begun}) <= max(budget.tables, len(hour))
    costs = [d.cost_bytes for d in begun if d.cost_bytes]
    assert sum(costs) <= budget.bytes or len(costs) == 1
    by_name = {table.table: table for table in tables}
    for decision in begun:
        one = by_name[decision.table]
        policy = one.policy.operations[decision.operation]
        assert one.adopted
        assert policy.enabled
        assert policy.window.is_open(NOW)
        order = list(Operation)
        for operation in order[: order.index(decision.operation)]:
            assert not decide(one, operation, now_ms=NOW, leases=()).due
