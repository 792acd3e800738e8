"""Expiry and compaction of real tables, as planned; every attempt is in the journal."""

from dataclasses import replace

import pytest

from dp_assets.core.errors import (
    ConfigurationError,
    OutcomeUnknownError,
    PermanentError,
    TransientError,
)
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.maintenance.retention import Retention
from dp_assets.lakehouse import opened
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.usecases.maintenance import compacting, maintaining
from dp_assets.usecases.maintenance.expiry_planning import planned_expiry
from dp_assets.usecases.maintenance.expiry_work import ExpiryWork
from dp_assets.usecases.maintenance.journaling import read_journal
from dp_assets.usecases.maintenance.maintaining import PLANNERS, maintain, plan
from dp_assets.usecases.maintenance.wanting import wanted
from dp_assets_tests.adapters.real_lakehouse import (
    ORDERS,
    content,
    make_lakehouse,
    pointer_of,
)
from dp_assets_tests.usecases.backup.readings import by_duckdb, by_pyiceberg

COMMITS = 7
NAMES = TableId("raw", "names")


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "lake").mkdir()
    return make_lakehouse(tmp_path / "lake", commits=COMMITS, tables=(ORDERS, NAMES))


@pytest.fixture
def lake(settings):
    with opened(settings) as lake:
        yield lake


def planned(lake, operation, *, table=ORDERS, retention=None):
    found = plan(lake, table, operation, now_ms=now_ms() + 5)
    if retention is None:
        return found
    policy = replace(found.policy, retention=retention)
    work = planned_expiry(lake, str(table), retention, now_ms=now_ms() + 5)
    return replace(found, policy=policy, work=ExpiryWork(work))


def heads(lake, table=ORDERS):
    """The rows at the head, by PyIceberg and by DuckDB."""
    found = lake.catalog.load_table(table.identifier)
    rows = sorted(found.scan().to_arrow()["id"].to_pylist())
    with lake.reader() as reader:
        lake.attach(reader, [table])
        counted = reader.rows(f"SELECT id FROM {table} ORDER BY id", about=table)
    return rows, counted["id"].to_pylist()


def data_files(lake, table=ORDERS):
    return {t.file.file_path for t in lake.catalog.load_table(table.identifier).scan().plan_files()}


def journal(lake, table=ORDERS):
    return read_journal(lake, now_ms=now_ms() + 5).of(table)


def test_planning_changes_nothing(settings, lake, tmp_path):
    before = content(tmp_path / "lake" / ".lakehouse" / "warehouse"), pointer_of(settings)
    assert planned(lake, Operation.COMPACTION).has_work
    assert not planned(lake, Operation.EXPIRY).has_work
    after = content(tmp_path / "lake" / ".lakehouse" / "warehouse"), pointer_of(settings)
    assert before[0]
    assert after == before


def test_a_compaction_does_what_was_planned_and_keeps_every_row(settings, lake, tmp_path):
    before, rows = by_pyiceberg(pointer_of(settings)), heads(lake)
    files = data_files(lake)
    work = planned(lake, Operation.COMPACTION)
    (group,) = work.work.planned.plan.groups
    assert {file.path for file in group.inputs} == files
    seen = []
    attempt = maintain(lake, work, run_id="run", on_bytes=seen.append)
    assert seen == [group.bytes]
    assert len(data_files(lake)) == 1
    assert data_files(lake).isdisjoint(files)
    assert heads(lake) == rows == (list(range(10 * COMMITS)), list(range(10 * COMMITS)))
    pointer = pointer_of(settings)
    for after in (by_pyiceberg(pointer), by_duckdb(pointer, tmp_path)):
        assert {name: after[name] for name in before if name in after}.items() <= before.items()
    assert attempt.outcome is Outcome.DONE
    assert journal(lake) == [attempt]
    assert (attempt.before["files"], attempt.after["files"]) == (COMMITS, 1)
    assert attempt.before["rows"] == attempt.after["rows"] == 10 * COMMITS
    assert attempt.before["rewritten_bytes"] == group.bytes
    again = maintain(lake, planned(lake, Operation.COMPACTION), run_id="again")
    assert again.outcome is Outcome.NOTHING
    assert pointer_of(settings) == pointer


def test_an_expiry_keeps_the_newest_and_every_file(settings, lake, tmp_path):
    rows, warehouse = heads(lake), tmp_path / "lake" / ".lakehouse" / "warehouse"
    before = content(warehouse)
    work = planned(lake, Operation.EXPIRY, retention=Retention(max_age_ms=0, min_snapshots=2))
    attempt = maintain(lake, work, run_id="run")
    assert attempt.outcome is Outcome.DONE
    assert (attempt.before["snapshots"], attempt.after["snapshots"]) == (COMMITS, 2)
    assert heads(lake) == rows
    assert before.items() <= content(warehouse).items()
    assert journal(lake) == [attempt]


def test_a_failure_is_in_the_journal_and_changed_nothing(settings, lake, monkeypatch):
    before, rows = pointer_of(settings), heads(lake)

    def fails(*_args, **_kwargs):
        raise TransientError("commit lost a race", hint="run it again")

    monkeypatch.setattr(compacting, "commit_compaction", fails)
    with pytest.raises(TransientError, match="lost a race"):
        maintain(lake, planned(lake, Operation.COMPACTION), run_id="run")
    (attempt,) = journal(lake)
    assert (attempt.outcome, attempt.problem) == (Outcome.FAILED, "commit lost a race")
    assert pointer_of(settings) == before
    assert heads(lake) == rows


@pytest.mark.parametrize("is_lost", [False, True])
def test_what_was_done_is_kept_also_when_nobody_can_look_at_it(
    settings, lake, monkeypatch, is_lost
):
    before, looks = pointer_of(settings), iter((maintaining.measure_health, fails_to_look))
    monkeypatch.setattr(maintaining, "measure_health", lambda *a, **k: next(looks)(*a, **k))
    if is_lost:

        def loses(*_arguments, **_names):
            raise OutcomeUnknownError("the catalog broke off", hint="look")

        monkeypatch.setattr(compacting, "commit_compaction", loses)
    expected = OutcomeUnknownError if is_lost else TransientError
    with pytest.raises(expected):  # what became of the table matters more than the look at it
        maintain(lake, planned(lake, Operation.COMPACTION), run_id="run")
    (attempt,) = journal(lake)
    assert attempt.outcome is (Outcome.UNKNOWN if is_lost else Outcome.DONE)
    assert (attempt.after, attempt.before["files"]) == (None, COMMITS)
    assert (pointer_of(settings) == before) is is_lost


def fails_to_look(*_arguments, **_names):
    raise TransientError("the store does not answer", hint="wait")


def test_nothing_is_left_in_the_staging_folder(settings, lake):
    maintain(lake, planned(lake, Operation.COMPACTION), run_id="run")
    assert list(settings.tmp_dir.glob("dp-compaction-*")) == []


def test_a_foreign_table_is_not_touched(settings, lake):
    table = lake.catalog.load_table(NAMES.identifier)
    table.transaction().remove_properties("dp.writer", "dp.adopted").commit_transaction()
    before = pointer_of(settings, NAMES)
    with pytest.raises(PermanentError, match="foreign"):
        planned(lake, Operation.EXPIRY, table=NAMES)
    with pytest.raises(PermanentError, match="foreign"):
        maintain(lake, planned(lake, Operation.COMPACTION, table=NAMES), run_id="run")
    assert pointer_of(settings, NAMES) == before


def test_without_names_it_is_what_is_due(settings, lake):
    now = now_ms() + 5
    sweeps = [(table, Operation.ORPHANS) for table in (NAMES, ORDERS)]
    assert wanted(lake, [], None, now_ms=now) == sweeps  # seven small files are too few
    assert wanted(lake, ["raw.orders"], Operation.COMPACTION, now_ms=now) == [
        (ORDERS, Operation.COMPACTION)
    ]
    assert len(wanted(lake, ["raw.orders", "raw.names"], None, now_ms=now)) == 2 * len(PLANNERS)
    lake.catalog.load_table(ORDERS.identifier).transaction().set_properties(
        {"dp.maintenance.compaction.when": "small_files >= 5"}
    ).commit_transaction()
    assert wanted(lake, [], Operation.COMPACTION, now_ms=now) == [(ORDERS, Operation.COMPACTION)]


def test_what_cannot_be_done_is_said(lake):
    with pytest.raises(ConfigurationError, match="no table"):
        wanted(lake, ["raw.nothing"], None, now_ms=now_ms())
