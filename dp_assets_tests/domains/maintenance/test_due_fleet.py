"""All tables together: one operation each, the worst first, within what an hour may cost."""

from dp_assets.core.units import GIB, HOUR_MS, MIB
from dp_assets.domains.maintenance.due import due, undecided
from dp_assets.domains.maintenance.fleet import Budget, decide_fleet
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets_tests.domains.maintenance.subjects import (
    NOW,
    attempt,
    commits,
    health,
    partition,
    small,
    subject,
)

EXPIRY, MANIFESTS, COMPACTION, ORPHANS = Operation
RICH = Budget(tables=1000, bytes=1000 * GIB)
ONLY_COMPACTION = {operation.value: {"enabled": operation is COMPACTION} for operation in Operation}


def judged(*subjects, budget=RICH, recent=(), now_ms=NOW):
    return decide_fleet(subjects, budget=budget, recent=recent, leases=(), now_ms=now_ms)


def named(decisions):
    return [(str(d.table), d.operation.value) for d in due(decisions)]


def only_compaction(table, count, *, size=MIB):
    found = health(partition(small_files=count, size=size), table=table)
    return subject(found, table=table, rules=ONLY_COMPACTION)


def test_one_operation_per_table_at_a_time_in_their_order():
    rules = {"expiry": {"when": "snapshots >= 1"}}
    done = []
    order = []
    for step in range(5):
        now_ms = NOW + step * 60_000
        one = subject(
            small(manifests=200), rules=rules, written=commits(*range(40, 9, -1)), done=done
        )
        decisions = judged(one, now_ms=now_ms)
        order += [d.operation for d in due(decisions)]
        for waiting in decisions:
            if not waiting.due and waiting.operation not in order:
                assert waiting.reasons == (f"{order[-1]} of the same table goes first",)
        ended = {"started_at_ms": now_ms, "finished_at_ms": now_ms + 1}
        done += [attempt(d.operation, 0, **ended) for d in due(decisions)]
    assert order == list(Operation)


def test_the_worst_comes_first_and_names_decide_between_equals():
    tables = [only_compaction(f"a.t{n}", files) for n, files in enumerate((20, 50, 10, 50))]
    assert [table for table, _ in named(judged(*tables))] == ["a.t1", "a.t3", "a.t0", "a.t2"]


def test_an_hour_takes_so_many_tables():
    tables = [only_compaction(f"a.t{n}", 10 + n) for n in range(5)]
    found = judged(*tables, budget=Budget(tables=2, bytes=GIB))
    assert named(found) == [("a.t4", "compaction"), ("a.t3", "compaction")]
    refused = [d for d in found if not d.due and d.operation is COMPACTION]
    assert {d.reasons[0] for d in refused} == {
        "the hour's budget of 2 tables is spent on worse tables"
    }
    assert {d.next_ms for d in refused} == {NOW + HOUR_MS}


def test_what_began_within_the_hour_counts_and_its_table_costs_no_second_place():
    tables = [only_compaction(f"a.t{n}", 10 + n) for n in range(3)]
    recent = [
        attempt(EXPIRY, 0.5, Outcome.NOTHING, table="a.t0"),
        attempt(EXPIRY, 0.9, table="b.t"),
        attempt(EXPIRY, 1.1, table="c.t"),
    ]
    found = judged(*tables, budget=Budget(tables=3, bytes=GIB), recent=recent)
    assert named(found) == [("a.t2", "compaction"), ("a.t0", "compaction")]
    refused = next(d for d in found if str(d.table) == "a.t1" and d.operation is COMPACTION)
    assert not refused.due
    assert refused.next_ms == recent[1].started_at_ms + HOUR_MS


def test_an_hour_takes_so_many_bytes_and_the_first_too_many_closes_it():
    """``a.big`` waits for its hour; smaller and better tables do not pass it by."""
    tables = [
        only_compaction("a.worst", 100, size=4 * MIB),
        only_compaction("a.big", 50, size=16 * MIB),
        only_compaction("a.small", 10),
        subject(health(manifests=110, table="a.free"), table="a.free"),
    ]
    found = judged(*tables, budget=Budget(tables=100, bytes=GIB))
    assert named(found) == [("a.worst", "compaction"), ("a.free", "manifests")]


def test_a_table_larger_than_the_whole_budget_has_an_hour_of_its_own():
    tables = [only_compaction("a.huge", 50, size=GIB), only_compaction("a.small", 10)]
    budget = Budget(tables=100, bytes=GIB)
    assert named(judged(*tables, budget=budget)) == [("a.huge", "compaction")]
    rewrote = attempt(COMPACTION, 0.5, table="b.t", before={"bytes": 9, "rewritten_bytes": 1})
    assert named(judged(*tables, budget=budget, recent=[rewrote])) == []
    idle = attempt(COMPACTION, 0.5, Outcome.NOTHING, table="b.t", before={"bytes": 9 * GIB})
    assert named(judged(*tables, budget=budget, recent=[idle])) == [("a.huge", "compaction")]


def test_only_partitions_worth_it_count_to_the_bytes():
    parts = [partition("d=1", small_files=10), partition("d=2", files=2, size=GIB)]
    parts += [partition("d=3", files=3, size=2 * MIB, deleted_rows=90)]
    [decision] = due(judged(subject(health(*parts), rules=ONLY_COMPACTION)))
    assert decision.cost_bytes == 16 * MIB


def test_every_table_has_a_decision_on_every_operation():
    tables = [only_compaction(f"a.t{n}", 10 + n) for n in range(9)]
    found = judged(*tables, budget=Budget(tables=3, bytes=GIB))
    assert len(found) == 36
    assert len({(d.table, d.operation) for d in found}) == 36
    assert [d.due for d in found] == [True] * 3 + [False] * 33


def test_a_table_that_cannot_be_judged_is_in_the_answer_with_its_problem():
    found = undecided(subject().table, "metadata file x is empty")
    assert [d.operation for d in found] == list(Operation)
    assert {(d.due, d.reasons, d.next_ms) for d in found} == {
        (False, ("metadata file x is empty",), None)
    }
