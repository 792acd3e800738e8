"""One of the processes that work on the model's table: orders as JSON lines in, answers out.

What an answer says did happen: ``done``; ``lost`` to another writer or refused, nothing of it is
visible; ``nothing`` to do; ``unknown``; ``failed``, for which there is no excuse.
"""

import json
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pyiceberg.exceptions import CommitFailedException, ValidationException

from dp_assets.core.errors import (
    ConfigurationError,
    LakeError,
    OutcomeUnknownError,
    TransientError,
)
from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.settings import load_settings
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.maintaining import PLANNERS, maintain, plan
from dp_assets.usecases.maintenance.orphans_work import plan_many_orphans
from dp_assets.usecases.rolling_back import planned_rollback, roll_back
from dp_assets_tests.faults.model_deletes import delete_positions
from dp_assets_tests.faults.model_manifests import VERSION
from dp_assets_tests.faults.model_vectors import UPGRADES, WRITES_3
from dp_assets_tests.faults.model_writes import WRITES, Said

NAME = TableId("raw", "model")
# Much of a table this small is orphans: a person has allowed it.
ALLOWED = {**PLANNERS, Operation.ORPHANS: plan_many_orphans}
WRITES_2 = {**WRITES, "delete_positions": delete_positions, **UPGRADES}
OVERTAKEN = "older than last sequence number"  # PyIceberg's word when another branch moved
LATE_MS = 30 * DAY_MS
LOST = (CommitFailedException, ValidationException, TransientError, ConfigurationError)


def carried_out(lake: Lakehouse, order: Said) -> Said:
    """What came of an order; ``why`` when it is not done."""
    try:
        return {"did": "done", **_done(lake, order)}
    except LOST as error:
        return {"did": "lost", "why": str(error)}
    except OutcomeUnknownError as error:
        return {"did": "unknown", "why": str(error)}
    except ValueError as error:
        if OVERTAKEN not in str(error):
            raise
        return {"did": "lost", "why": OVERTAKEN}
    except FileNotFoundError as error:  # others removed what only old snapshots need
        return {"did": "lost", "why": f"file not found: {error}"}
    except LakeError as error:
        return {"did": "failed", "why": f"{type(error).__name__}: {error}"}


def _done(lake: Lakehouse, order: Said) -> Said:
    match order["do"]:
        case "maintain":
            return maintained(lake, Operation(order["operation"]), at_ms=now_ms())
        case "rollback":
            roll_back(lake, planned_rollback(lake, str(NAME), order["to"]))
            return {}
        case "empty":
            empty_trash(lake, now_ms=now_ms() + LATE_MS)
            return {}
        case what:
            table = lake.catalog.load_table(NAME.identifier)
            writes = WRITES_3 if table.format_version == VERSION else WRITES_2
            return writes[what](table, order)


def maintained(lake: Lakehouse, operation: Operation, *, at_ms: int) -> Said:
    """One operation, whether or not it is due."""
    planned = plan(lake, NAME, operation, now_ms=at_ms, planners=ALLOWED)
    if not planned.has_work:
        return {"did": "refused" if planned.refused else "nothing", "why": planned.refused}
    attempt = maintain(lake, planned, run_id=f"model {at_ms}")
    dropped = attempt.outcome is Outcome.FAILED  # every group, for a reason that it says
    return {"did": "dropped" if dropped else str(attempt.outcome), "why": attempt.problem}


@contextmanager
def lakehouse_at(file: str) -> Generator[Lakehouse, None, None]:
    with opened(load_settings(Path(file), env={}), doing="the model's test") as lake:
        yield lake


def main() -> None:
    """Each line: a settings file and orders; the answer to it: what came of each."""
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        asked = json.loads(line)
        with lakehouse_at(asked["settings"]) as lake:
            said = [carried_out(lake, order) for order in asked["orders"]]
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
