"""What a scheduled run may try again at once, and what it may not."""

import pytest

from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.domains.maintenance.journal import JOURNAL
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.usecases.maintenance import compacting
from dp_assets.usecases.maintenance.holding import alone
from dp_assets.usecases.maintenance.one_operation import plan_operation, run_operation
from dp_assets_tests.adapters.real_lakehouse import ORDERS, fill
from dp_assets_tests.usecases.maintenance.operated_lake import COMMITS, lake, prepared, work

__all__ = ["lake", "prepared"]  # fixtures


@pytest.fixture
def fragmented(lake):
    """The rewritten file and five small ones."""
    fill(lake, ORDERS, commits=5)
    return lake


def run(lake, run_id="run-1", warn=pytest.fail):
    planned = plan_operation(lake, str(ORDERS), Operation.COMPACTION)
    return run_operation(lake, planned, run_id=run_id, warn=warn)


def test_it_tells_what_it_made_and_its_row_is_in_the_journal(fragmented):
    ran = run(fragmented)
    table = fragmented.catalog.load_table(ORDERS.identifier)
    assert ran.own == (table.current_snapshot().snapshot_id,)
    assert (ran.before.files, ran.after.files) == (6, 1)
    assert ran.after.rows == 10 * (COMMITS + 5)
    assert JOURNAL.table in fragmented.tables()
    assert fragmented.spool.tables() == ()
    assert work(fragmented, run_id="run-1").attempt == ran.attempt


def test_nothing_to_do_makes_nothing(lake):
    ran = run(lake)
    assert (ran.own, ran.attempt.outcome) == ((), Outcome.NOTHING)
    assert ran.before.pointer == ran.after.pointer


def test_a_table_that_somebody_maintains_may_be_tried_again(fragmented):
    with (
        alone(fragmented, ORDERS, doing="expiry of raw.orders"),
        pytest.raises(TransientError, match="maintain"),
    ):
        run(fragmented)
    with pytest.raises(PermanentError, match="the journal has no row"):
        work(fragmented, run_id="run-1")


def test_what_failed_is_not_tried_again_at_once(fragmented, monkeypatch):
    def fails(*_args, **_kwargs):
        raise TransientError("commit lost a race", hint="run it again")

    monkeypatch.setattr(compacting, "commit_compaction", fails)
    with pytest.raises(PermanentError, match="commit lost a race"):
        run(fragmented)
    assert work(fragmented, run_id="run-1").attempt.outcome is Outcome.FAILED


def test_rows_that_cannot_be_flushed_fail_nothing(fragmented, monkeypatch):
    def fails():
        raise TransientError("the catalog is away", hint="wait")

    said = []
    monkeypatch.setattr(fragmented, "flush", fails)
    assert run(fragmented, warn=said.append).attempt.outcome is Outcome.DONE
    assert said == ["flush the journal: the catalog is away (wait)"]
    assert fragmented.spool.tables() == (JOURNAL.table,)
