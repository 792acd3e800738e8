"""What `dp doctor` does: measure a lakehouse against its settings and judge what was found."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyiceberg.io import load_file_io
from sqlalchemy.engine import make_url

from dp_assets.adapters.catalogs import DURABLE_IO, SQLITE_TIMEOUT_S, sqlite_file
from dp_assets.adapters.doctor.doctor_leftovers import held_leases, spooled_rows, temporary_files
from dp_assets.adapters.doctor.doctor_machine import examine_folder, examine_software, examine_store
from dp_assets.adapters.doctor.doctor_sqlite import examine_database
from dp_assets.adapters.doctor.doctor_tables import read_tables
from dp_assets.adapters.local_files import local_path
from dp_assets.core.errors import LakeError
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.lake.doctor import (
    Area,
    Finding,
    Severity,
    check_database,
    check_identity,
    has_errors,
)
from dp_assets.domains.lake.doctor_leftovers import check_leftovers
from dp_assets.domains.lake.doctor_machine import (
    check_clock,
    check_disks,
    check_folder,
    check_software,
)
from dp_assets.domains.lake.doctor_tables import Repair, check_tables, number
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.doctor import DatabaseState, Folder, HeldLease
from dp_assets.project_files import project_file
from dp_assets.settings import Settings
from dp_assets.usecases.diagnosis_recovery import diagnose_recovery
from dp_assets.usecases.repairing import plan_repair


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, grouped by area, and the repairs that would remove some of the errors."""

    findings: tuple[Finding, ...]
    repairs: tuple[Repair, ...] = ()

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is an error; warnings may be there."""
        return not has_errors(self.findings)


def diagnose(lake: Lakehouse) -> Diagnosis:
    """Examine everything in one pass; nothing is changed but for probe files, made and removed."""
    folders = tuple(_folders(lake.settings))
    findings, repairs = [*_machine(lake.settings, folders)], ()
    leases: tuple[HeldLease, ...] = ()
    database, is_readable = _database(lake.settings)
    findings += database
    if is_readable:
        try:
            findings.append(check_identity(lake.identity, lake.place))
            tables, repairs = _tables(lake)
            findings += tables
            leases = held_leases(lake.catalog, lake.leases)
        except LakeError as error:
            findings.append(
                Finding(Severity.ERROR, Area.CATALOG, "catalog", error.what, error.hint)
            )
    findings += diagnose_recovery(lake.settings, folders)
    findings += _leftovers(lake.settings, leases)
    order = list(Area)
    return Diagnosis(tuple(sorted(findings, key=lambda f: order.index(f.area))), repairs)


def _machine(settings: Settings, folders: Sequence[Folder]) -> Iterator[Finding]:
    yield Finding(Severity.OK, Area.MACHINE, "settings", f"{settings.path} was read")
    yield from map(check_folder, folders)
    yield from check_disks(folders)
    project = tomllib.loads(project_file("pyproject.toml").read_text(encoding="utf-8"))["project"]
    yield from check_software(
        examine_software(project["dependencies"], requires_python=project["requires-python"])
    )


def _folders(settings: Settings) -> Iterator[Folder]:
    yield examine_folder("state", settings.state_dir)
    warehouse = local_path(settings.warehouse.root)
    if warehouse:
        yield examine_folder("warehouse", warehouse)
    if settings.leases.root:
        # Beside the warehouse, perhaps because that takes files of tables only.
        yield _examined("leases", settings.leases.root, settings)
    elif not warehouse:
        yield _examined("warehouse", settings.warehouse.root, settings)
    database = sqlite_file(settings.catalog.uri)
    if database and database.parent != settings.state_dir:
        yield examine_folder("catalog", database.parent)


def _examined(name: str, root: str, settings: Settings) -> Folder:
    """A place where leases and the trash are kept, in ``_dp``."""
    folder = local_path(root)
    if folder:
        return examine_folder(name, folder)
    properties = {"py-io-impl": DURABLE_IO, **settings.catalog.plain_properties()}
    return examine_store(name, root, load_file_io(properties, root))


def _database(settings: Settings) -> tuple[list[Finding], bool]:
    """Findings about a SQLite catalog's file, none for other catalogs; whether to go on."""
    path = sqlite_file(settings.catalog.uri)
    if path is None:
        return [], True
    given = make_url(settings.catalog.uri).query.get("timeout", SQLITE_TIMEOUT_S)
    database = examine_database(path, busy_timeout_ms=int(float(str(given)) * 1000))
    found = check_database(database)
    if database.state in (DatabaseState.GOOD, DatabaseState.READ_ONLY):
        return [found], True
    what = "identity, tables, clock and leases were not examined"
    skipped = Finding(
        Severity.WARN, Area.TABLES, "tables", what, "make the catalog's database readable first"
    )
    return [found, skipped], False


def _tables(lake: Lakehouse) -> tuple[list[Finding], tuple[Repair, ...]]:
    readings = list(read_tables(lake.catalog, number=number))
    repairs: list[Repair] = []
    stuck: dict[TableId, str] = {}
    for reading in readings:
        if not reading.pointer.is_readable and reading.pointer.is_reachable:
            planned = plan_repair(lake, reading)
            if isinstance(planned, Repair):
                repairs.append(planned)
            else:
                stuck[reading.table] = planned
    newest = max(((r.pointer.last_updated_ms, r.table) for r in readings), default=None)
    clock = check_clock(now_ms=now_ms(), newest=(newest[1], newest[0]) if newest else None)
    return [clock, *check_tables(readings, repairs, stuck)], tuple(repairs)


def _leftovers(settings: Settings, leases: tuple[HeldLease, ...]) -> Iterator[Finding]:
    warehouse = local_path(settings.warehouse.root)
    shared = local_path(settings.leases.root or settings.warehouse.root)
    ours = [settings.state_dir, *([shared / "_dp"] if shared else [])]
    leave_out = [settings.dagster_home, *([warehouse] if warehouse else [])]
    try:
        files = [f for folder in ours for f in temporary_files(folder, leave_out=leave_out)]
        spooled = spooled_rows(settings.spool_dir)
    except OSError as error:
        what, hint = f"cannot be looked for: {error}", "make the state folder readable"
        yield Finding(Severity.ERROR, Area.LEFTOVERS, "crashes", what, hint)
        return
    yield from check_leftovers(files=files, spooled=spooled, leases=leases, now_ms=now_ms())
