"""What is asked for, and which tables are looked at for it."""

import pytest

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.maintenance.due_state import read_due
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from dp_assets.lakehouse import opened
from dp_assets.ports.maintenance import Attempt, Operation, Outcome
from dp_assets.usecases.maintenance import asking
from dp_assets.usecases.maintenance.asking import due_file, due_work
from dp_assets.usecases.maintenance.journaling import keep
from dp_assets.usecases.maintenance.sweeping import sweep
from dp_assets.usecases.maintenance.wanting import wanted
from dp_assets_tests.adapters.prepared_lake import PreparedLake
from dp_assets_tests.adapters.real_lakehouse import ORDERS, fill, make_lakehouse

NAMES = TableId("raw", "names")
# Orphans are due of any table of which they were never removed.
COMPACTION_ONLY = {"dp.maintenance.orphans.enabled": "false"}
DUE = {**COMPACTION_ONLY, "dp.maintenance.compaction.when": "small_files >= 5"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return PreparedLake.make(tmp_path_factory.mktemp("asking"), two_tables)


@pytest.fixture
def lake(prepared):
    with prepared.opened() as found:
        yield found


def two_tables(folder):
    settings = make_lakehouse(folder, commits=5, tables=(ORDERS, NAMES))
    with opened(settings) as found:
        say(found, ORDERS, DUE)
        say(found, NAMES, COMPACTION_ONLY)
    return settings


def say(lake, table, properties):
    with lake.catalog.load_table(table.identifier).transaction() as change:
        change.set_properties(properties)


def asked(found):
    return [(one.table, one.operation) for one in found.asks]


def attempted(lake, outcome, at_ms):
    table = lake.catalog.load_table(ORDERS.identifier)
    attempt = Attempt(
        str(ORDERS),
        str(table.metadata.table_uuid),
        Operation.COMPACTION,
        outcome,
        at_ms,
        at_ms,
        table.metadata_location,
        "run",
    )
    keep(lake, attempt)


def test_what_is_due_is_asked_for_and_the_rest_not_looked_at_again(lake):
    now = now_ms() + 5
    before = list_pointers(lake.catalog)
    first = due_work(lake, now_ms=now)
    assert (asked(first), first.looked_at, first.tables) == (
        [(ORDERS, Operation.COMPACTION)],
        2,
        2,
    )
    assert "5 is enough" in first.asks[0].reasons[0]
    again = due_work(lake, now_ms=now + MINUTE_MS)
    assert (asked(again), again.looked_at) == (asked(first), 1)
    assert again.asks[0].key == first.asks[0].key
    assert list_pointers(lake.catalog) == before


def test_after_an_attempt_the_state_is_another_and_nothing_is_due(lake):
    now = now_ms() + 5
    first = due_work(lake, now_ms=now)
    attempted(lake, Outcome.FAILED, now)
    assert due_work(lake, now_ms=now + MINUTE_MS).asks == ()
    assert due_work(lake, now_ms=now + 2 * MINUTE_MS).looked_at == 0
    later = due_work(lake, now_ms=now + 3 * HOUR_MS + MINUTE_MS)
    assert asked(later) == asked(first)
    assert later.asks[0].key != first.asks[0].key


def test_what_left_no_trace_is_asked_for_again_after_hours(lake):
    now = now_ms() + 5
    keys = {due_work(lake, now_ms=now + n * HOUR_MS).asks[0].key for n in range(6)}
    assert 2 <= len(keys) <= 3


def test_a_table_that_moved_is_looked_at(lake):
    now = now_ms() + 5
    due_work(lake, now_ms=now)
    attempted(lake, Outcome.NOTHING, now)
    due_work(lake, now_ms=now)
    assert due_work(lake, now_ms=now).looked_at == 0
    fill(lake, NAMES, commits=1)
    say(lake, NAMES, DUE)
    found = due_work(lake, now_ms=now + MINUTE_MS)
    assert (found.looked_at, asked(found)) == (1, [(NAMES, Operation.COMPACTION)])


def test_every_table_is_looked_at_once_a_day_and_when_a_clock_was_set_back(lake):
    now = now_ms() + 5
    say(lake, ORDERS, {"dp.maintenance.enabled": "false"})
    due_work(lake, now_ms=now)
    assert due_work(lake, now_ms=now + MINUTE_MS).looked_at == 0
    assert due_work(lake, now_ms=now + DAY_MS).looked_at == 2
    assert due_work(lake, now_ms=now).looked_at == 2


def test_other_rules_or_a_night_are_reasons_to_look_at_all(lake):
    now = now_ms() + 5
    due_work(lake, now_ms=now)
    assert due_work(lake, now_ms=now, everything=True).looked_at == 2
    maintenance = lake.settings.maintenance
    budget = maintenance.budget.model_copy(update={"tables_per_hour": 7})
    rules = maintenance.model_copy(update={"budget": budget})
    lake.settings = lake.settings.model_copy(update={"maintenance": rules})
    assert due_work(lake, now_ms=now).looked_at == 2


def test_a_table_that_cannot_be_read_is_tried_again_and_stops_no_other(lake):
    now = now_ms() + 5
    pointer = local_path(list_pointers(lake.catalog)[NAMES])
    content = pointer.read_bytes()
    pointer.write_bytes(b"")
    assert asked(due_work(lake, now_ms=now)) == [(ORDERS, Operation.COMPACTION)]
    pointer.write_bytes(content)
    assert due_work(lake, now_ms=now + MINUTE_MS).looked_at == 1
    assert due_work(lake, now_ms=now + HOUR_MS).looked_at == 2


def test_what_no_sweep_has_measured_is_looked_at_bit_by_bit(lake, monkeypatch):
    monkeypatch.setattr(asking, "MOST_MEASURED", 1)
    now = now_ms() + 5
    say(lake, ORDERS, {"dp.maintenance.enabled": "false"})
    assert [due_work(lake, now_ms=now).looked_at for _ in range(3)] == [1, 1, 0]
    due_file(lake.settings).unlink()
    sweep(lake, now_ms=now, run_id="sweep", tell=lambda _table, _health: None)
    assert due_work(lake, now_ms=now).looked_at == 2


def test_health_that_a_sweep_knows_is_not_measured_again(lake, monkeypatch):
    now = now_ms() + 5
    sweep(lake, now_ms=now, run_id="sweep", tell=lambda _table, _health: None)
    measured = []
    monkeypatch.setattr(
        "dp_assets.usecases.maintenance.looking.measure_health",
        lambda _lake, table, **_: measured.append(table),
    )
    due = [(ORDERS, Operation.COMPACTION)]
    assert asked(due_work(lake, now_ms=now)) == due
    assert wanted(lake, (), None, now_ms=now) == due  # 'dp maintain' without a table
    assert measured == []


def test_a_state_that_cannot_be_read_is_made_again(lake):
    now = now_ms() + 5
    due_work(lake, now_ms=now)
    known = read_due(due_file(lake.settings))
    due_file(lake.settings).write_bytes(b"")
    assert due_work(lake, now_ms=now).looked_at == 2
    assert read_due(due_file(lake.settings)) == known


def test_a_table_that_was_dropped_is_forgotten(lake):
    due_work(lake, now_ms=now_ms())
    lake.catalog.drop_table(NAMES.identifier)
    due_work(lake, now_ms=now_ms() + 5)
    assert set(read_due(due_file(lake.settings)).tables) == {ORDERS}
