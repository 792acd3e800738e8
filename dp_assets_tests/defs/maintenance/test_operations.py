"""Operations as assets, over a real table: what they show, and what their checks see."""

from pathlib import Path

import dagster as dg
import pytest

from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets.domains.maintenance.journal import JOURNAL
from dp_assets.domains.maintenance.operation_checks import CHECKS, OperationCheck
from dp_assets.orchestration.operations import KEYS, WHY
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.usecases.maintenance import checking, compacting
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets.usecases.maintenance.one_operation import plan_operation
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets.usecases.maintenance.work import Running
from dp_assets_tests.adapters.real_lakehouse import ORDERS, fill
from dp_assets_tests.defs.maintenance.table_lake import (
    COMMITS,
    DEFINED,
    TABLES,
    instance,
    lake,
    materialized,
    prepared,
    verdicts,
)

__all__ = ["instance", "lake", "prepared"]  # fixtures

COMPACTION = Operation.COMPACTION


def test_a_compaction_shows_what_it_did_and_its_checks_pass(lake):
    before, head = lake.pointer, lake.head
    done = lake.run(COMPACTION, tags={WHY: "small files 12, 10 is enough"})
    assert done.success
    shown = materialized(done, COMPACTION)
    [attempt] = lake.journal()
    assert (shown["outcome"], shown["why"]) == ("done", "small files 12, 10 is enough")
    assert f"| files | {COMMITS} | 1 |" in shown["figures"]
    assert f"| rows | {10 * COMMITS} | {10 * COMMITS} |" in shown["figures"]
    assert shown["sizes"].count("█") > 1
    assert f" {COMMITS}\n" in shown["sizes"].split("after")[0]
    assert shown["own_snapshots"] == lake.head == shown["snapshot_id"]
    assert (shown["snapshot_before"], shown["metadata_location_before"]) == (head, before)
    assert shown["metadata_location"] == lake.pointer == attempt.pointer
    assert shown["last_done"].endswith(f"snapshot {lake.head} by run {done.run_id}")
    assert shown["memory_bytes"] == attempt.memory_bytes >= 0
    assert shown["rewritten_bytes"] == attempt.before["rewritten_bytes"] > 0
    found = verdicts(done)
    assert set(found) == set(map(str, CHECKS[COMPACTION]))
    assert all(one.passed and one.blocking for one in found.values())
    assert {one.partition for one in found.values()} == {str(ORDERS)}
    assert JOURNAL.table in lake.lake.tables()
    assert lake.lake.spool.tables() == ()
    assert attempt.run_id == done.run_id


def test_what_a_killed_run_committed_is_said_by_the_next_and_not_done_again(lake):
    """Neither the journal nor Dagster knows of a run that was killed after its commit."""
    planned = plan_operation(lake.lake, str(ORDERS), COMPACTION)
    planned.work.carry_out(lake.lake, planned.policy, Running("killed", lambda _: None))
    pointer, head = lake.pointer, lake.head
    shown = materialized(lake.run(COMPACTION), COMPACTION)
    assert (lake.pointer, lake.head) == (pointer, head)
    assert shown["outcome"] == "nothing to do"
    assert shown["snapshot_before"] == shown["snapshot_id"] == head
    assert shown["metadata_location_before"] == shown["metadata_location"] == pointer
    assert shown["last_done"].endswith(f"snapshot {head} by run killed")
    assert [one.outcome for one in lake.journal()] == [Outcome.NOTHING]


def test_an_operation_that_makes_no_snapshot_says_what_it_put_into_the_trash(lake):
    table = lake.lake.catalog.load_table(ORDERS.identifier)
    keep = {"keep_days": "0", "keep_snapshots": "2"}
    kept = {f"dp.maintenance.expiry.{name}": value for name, value in keep.items()}
    table.transaction().set_properties(kept).commit_transaction()
    nothing = materialized(lake.run(Operation.ORPHANS), Operation.ORPHANS)
    assert nothing["last_done"] == "not known"
    before, head = lake.pointer, lake.head
    shown = materialized(lake.run(Operation.EXPIRY), Operation.EXPIRY)
    [record] = open_trash(lake.lake).all()
    assert record.id in shown["last_done"]
    assert f"{len(record.snapshots)} snapshots" in shown["last_done"]
    assert shown["snapshot_before"] == shown["snapshot_id"] == head == lake.head
    assert shown["metadata_location_before"] == before == record.pointer
    assert shown["metadata_location"] == lake.pointer != before
    assert [one.pointer for one in lake.journal()] == [before, lake.pointer]


def test_nothing_to_do_and_a_refusal_are_shown_as_what_they_are(lake):
    assert lake.run(COMPACTION).success
    pointer = lake.pointer
    again = lake.run(COMPACTION)
    assert materialized(again, COMPACTION)["outcome"] == "nothing to do"
    assert lake.pointer == pointer
    assert all(one.passed for one in verdicts(again).values())

    empty = TableId("raw", "empty")
    fill(lake.lake, empty, commits=0)
    lake.instance.add_dynamic_partitions(TABLES, [str(empty)])
    refused = lake.run(COMPACTION, table=empty)
    shown = materialized(refused, COMPACTION)
    assert shown["outcome"] == "refused"
    assert "it has no snapshot" in shown["why"]
    found = verdicts(refused)["not_refused"]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert [one.outcome for one in lake.journal(empty)] == [Outcome.REFUSED]


def test_a_failure_is_one_red_partition_and_one_row(lake, monkeypatch):
    def fails(*_args, **_kwargs):
        raise TransientError("commit lost a race", hint="run it again")

    monkeypatch.setattr(compacting, "commit_compaction", fails)
    failed = lake.run(COMPACTION)
    [event] = [e for e in failed.all_events if e.is_step_failure]
    assert "commit lost a race" in event.step_failure_data.user_failure_data.description
    assert failed.asset_materializations_for_node("maintenance__compaction") == []
    assert verdicts(failed) == {}
    assert [one.outcome for one in lake.journal()] == [Outcome.FAILED]


def test_what_none_of_could_be_committed_is_a_failure(lake, monkeypatch):
    real = compacting.commit_compaction

    def dropped(*args, **kwargs):
        fill(lake.lake, ORDERS, commits=1)
        lake.lake.catalog.load_table(ORDERS.identifier).delete("id < 200")
        return real(*args, **kwargs)

    monkeypatch.setattr(compacting, "commit_compaction", dropped)
    failed = lake.run(COMPACTION)
    assert not failed.success
    assert failed.asset_materializations_for_node("maintenance__compaction") == []
    assert [one.outcome for one in lake.journal()] == [Outcome.FAILED]


def test_a_damaged_table_stops_what_comes_after(lake):
    [first, *_] = lake.lake.catalog.load_table(ORDERS.identifier).scan().plan_files()
    Path(one_spelling(first.file.file_path)).unlink()
    stopped = lake.run(Operation.EXPIRY, Operation.MANIFESTS)
    assert not stopped.success
    found = verdicts(stopped)
    assert [name for name, one in found.items() if not one.passed] == ["closure_complete"]
    assert "it is gone" in found["closure_complete"].metadata["findings"].value
    assert materialized(stopped, Operation.EXPIRY)["outcome"] == "nothing to do"
    assert stopped.asset_materializations_for_node("maintenance__manifests") == []


def test_a_check_without_a_table_is_refused(lake):
    """Dagster's page can run a check without a partition."""
    alone = dg.materialize(
        DEFINED,
        instance=lake.instance,
        resources={"house": lake.house},
        selection=dg.AssetSelection.checks_for_assets(KEYS[COMPACTION]),
        raise_on_error=False,
    )
    [event] = [e for e in alone.all_events if e.is_step_failure]
    assert "is asked about no table" in event.step_failure_data.user_failure_data.description


def test_a_check_that_cannot_measure_hides_no_other_and_stops_what_comes_after(lake, monkeypatch):
    def raises(_work):
        raise PermanentError("the rows cannot be counted", hint="look")

    monkeypatch.setitem(checking.JUDGES, OperationCheck.ROWS, raises)
    stopped = lake.run(COMPACTION, Operation.ORPHANS)
    assert materialized(stopped, COMPACTION)["outcome"] == "done"
    assert stopped.asset_materializations_for_node("maintenance__orphans") == []
    found = verdicts(stopped)
    assert set(found) == set(map(str, CHECKS[COMPACTION])) - {"rows_unchanged"}
    assert all(one.passed for one in found.values())


def test_a_foreign_table_is_not_touched(lake):
    table = lake.lake.catalog.load_table(ORDERS.identifier)
    table.transaction().remove_properties("dp.writer", "dp.adopted").commit_transaction()
    before = lake.pointer
    assert not lake.run(Operation.EXPIRY).success
    assert lake.pointer == before


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_has_an_asset_that_can_be_run(operation):
    assert operation in PLANNERS
    assert KEYS[operation].path == ["maintenance", str(operation)]
