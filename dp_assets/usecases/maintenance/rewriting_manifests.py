"""Manifests of one table written anew; the table's lease is held for the commit alone.

The plan is made from the table as it is, whatever was shown before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.io import load_file_io

from dp_assets.adapters.local_files import make_folders
from dp_assets.adapters.pyiceberg_create import refuse_foreign
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.pyiceberg_writer import no_failpoint
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.guards import unguarded
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.maintenance.manifest_piles import ManifestRule
from dp_assets.domains.maintenance.manifest_plan import ManifestPlan, plan_manifests
from dp_assets.ports.recovery import History
from dp_assets.usecases.kept_lease import kept_lease
from dp_assets.usecases.maintenance.manifest_attempts import RewriteAttempts, Rewritten
from dp_assets.usecases.maintenance.publishing import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.lakehouse import Lakehouse

USUAL = ManifestRule()


def planned_manifests(lake: Lakehouse, table: TableId, rule: ManifestRule = USUAL) -> ManifestPlan:
    """What a rewrite would do now; changes nothing.

    Raises:
        MaintenanceRefusedError: the manifests cannot be written anew exactly.
        PermanentError: there is no such table, it is foreign, or it cannot be read.
    """
    pointer = existing_pointer(lake.catalog, table)
    closure = read_closure(lake.files, pointer, history=History.CURRENT)
    refuse_foreign(table, closure.metadata.get("properties") or {})
    return plan_manifests(str(table), closure, rule)


def rewrite_manifests(
    lake: Lakehouse,
    planned: ManifestPlan,
    *,
    run_id: str,
    guard: Callable[[], None] = unguarded,
    failpoint: Callable[[str], None] = no_failpoint,
) -> Rewritten:
    """Carry out a plan, made anew from the table as it is.

    Args:
        lake: with an identity.
        planned: by :func:`planned_manifests`.
        run_id: of the run, for the snapshot's summary.
        guard: of who may maintain the table, asked right before the commit.
        failpoint: called after each durable step.

    Raises:
        PermanentError: the table is another one by now, or foreign; or what was written was wrong,
            and nothing of it is visible any more.
        TransientError: somebody holds the table, or was first too often.
        OutcomeUnknownError: the catalog broke off; or the commit is wrong and others built on it.
    """
    doing = f"manifests of {planned.table}"
    lake.require_identity(doing)
    make_folders(lake.settings.tmp_dir)
    checks = [guard]

    def all_hold() -> None:
        for check in checks:
            check()

    around = Surroundings(
        catalog=lake.catalog,
        io=load_file_io(lake.catalog.properties, lake.catalog.properties.get("warehouse")),
        files=lake.files,
        guard=all_hold,
        now_ms=now_ms,
        failpoint=failpoint,
    )
    with RewriteAttempts(around, planned, run_id, lake.settings.tmp_dir) as attempts:
        attempts.prepare()
        with kept_lease(lake, f"table/{planned.table}", doing=doing) as beat:
            checks.append(beat.check)
            return attempts.run()
