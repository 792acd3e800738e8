"""A lakehouse whose table was compacted by run ``run``."""

import json
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dp_assets.core.units import now_ms
from dp_assets.domains.maintenance.operation_checks import Judged, OperationCheck
from dp_assets.domains.maintenance.retention import Retention
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance import Attempt, Operation, Outcome
from dp_assets.settings import Settings
from dp_assets.usecases.maintenance.checking import JUDGES
from dp_assets.usecases.maintenance.expiry_planning import planned_expiry
from dp_assets.usecases.maintenance.expiry_work import ExpiryWork
from dp_assets.usecases.maintenance.journaling import keep
from dp_assets.usecases.maintenance.maintaining import maintain, plan
from dp_assets.usecases.maintenance.own_work import OwnWork, find_work
from dp_assets_tests.adapters.prepared_lake import PreparedLake
from dp_assets_tests.adapters.real_lakehouse import ORDERS, make_lakehouse

COMMITS = 7
RUN = "run"
TWO = Retention(max_age_ms=0, min_snapshots=2)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedLake:
    return PreparedLake.make(tmp_path_factory.mktemp("operated"), _operated)


@pytest.fixture
def lake(prepared: PreparedLake) -> Generator[Lakehouse, None, None]:
    with prepared.opened() as found:
        yield found


def _operated(folder: Path) -> Settings:
    settings = make_lakehouse(folder, commits=COMMITS)
    with opened(settings) as lake:
        tag(lake, "first")
        compact(lake)
    return settings


def tag(lake: Lakehouse, name: str, **kept: int) -> None:
    """A tag of the first snapshot."""
    table = lake.catalog.load_table(ORDERS.identifier)
    with table.manage_snapshots() as manage:
        manage.create_tag(table.metadata.snapshots[0].snapshot_id, name, **kept)


def compact(lake: Lakehouse, run_id: str = RUN) -> Attempt:
    planned = plan(lake, ORDERS, Operation.COMPACTION, now_ms=now_ms())
    return maintain(lake, planned, run_id=run_id)


def expire(lake: Lakehouse, retention: Retention = TWO, run_id: str = "expiring") -> Attempt:
    at_ms = now_ms() + 5
    planned = plan(lake, ORDERS, Operation.EXPIRY, now_ms=at_ms)
    work = ExpiryWork(planned_expiry(lake, str(ORDERS), retention, now_ms=at_ms))
    policy = replace(planned.policy, retention=retention)
    return maintain(lake, replace(planned, work=work, policy=policy), run_id=run_id)


def work(
    lake: Lakehouse, operation: Operation = Operation.COMPACTION, run_id: str = RUN
) -> OwnWork:
    return find_work(lake, ORDERS, operation, run_id=run_id, now_ms=now_ms() + 5)


def judged(
    lake: Lakehouse,
    check: OperationCheck,
    operation: Operation = Operation.COMPACTION,
    run_id: str = RUN,
) -> Judged:
    return JUDGES[check](work(lake, operation, run_id))


def says_done(lake: Lakehouse, run_id: str, outcome: Outcome = Outcome.DONE) -> None:
    """A row in the journal of a compaction, whatever became of the table."""
    table = lake.catalog.load_table(ORDERS.identifier)
    at_ms = now_ms()
    keep(
        lake,
        Attempt(
            table=str(ORDERS),
            uuid=str(table.metadata.table_uuid),
            operation=Operation.COMPACTION,
            outcome=outcome,
            started_at_ms=at_ms,
            finished_at_ms=at_ms,
            pointer=table.metadata_location,
            run_id=run_id,
            problem="it has no snapshot" if outcome is Outcome.REFUSED else "",
        ),
    )


def edit(pointer: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Another content of a metadata file, as a broken commit would have left it."""
    path = Path(one_spelling(pointer))
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))
