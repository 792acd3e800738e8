"""The demo's disaster: a table is dropped, its files are deleted, and all of it comes back.

It happens once, in a lakehouse that the demo itself made and nowhere else. A note in the state
folder is written before anything is destroyed, so that a demo that was killed puts it right.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.local_files import local_path, replace_file
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.pyiceberg_pointer import existing_pointer, read_pointer
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.core.units import format_bytes
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.domains.lake.identity import DEMO
from dp_assets.ports.recovery import History
from dp_assets.usecases.backup.undropping import plan_undrop, undrop
from dp_assets.usecases.table_content import read_content

if TYPE_CHECKING:
    from pathlib import Path

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.settings import Settings

VICTIM = TableId("raw", "flights")
BEGUN, OVER = b"begun\n", b"over\n"


@dataclass(frozen=True, slots=True)
class TableState:
    """What a table is, in the terms that a restore must bring back."""

    rows: int
    snapshots: int
    files: int
    bytes: int
    pointer: str
    content: str

    def facts(self) -> dict[str, str]:
        """For people, by name."""
        return {
            "rows": f"{self.rows:,}",
            "snapshots": f"{self.snapshots:,}",
            "files": f"{self.files:,}",
            "size": format_bytes(self.bytes),
            "metadata": self.pointer.rpartition("/")[2],
            "content hash": self.content,
        }


@dataclass(frozen=True, slots=True)
class Disaster:
    """What was lost and what came back; ``deleted`` counts files."""

    table: TableId
    point: int
    deleted: int
    before: TableState
    after: TableState


def is_over(settings: Settings) -> bool:
    """Whether the demo's disaster has happened and was put right."""
    note = _note(settings)
    return note.exists() and note.read_bytes() == OVER


def finish(lake: Lakehouse, repository: Repository) -> None:
    """Put right what a killed demo left; harmless otherwise."""
    note = _note(lake.settings)
    if not note.exists() or is_over(lake.settings):
        return
    plan = plan_undrop(lake, repository, str(VICTIM), Wanted(replace=True))
    undrop(lake, repository, plan)
    replace_file(note, OVER)


def strike_and_restore(lake: Lakehouse, repository: Repository) -> Disaster:
    """Drop the table, delete its files, bring both back from the newest point.

    Raises:
        PermanentError: this lakehouse was not made by the demo, or no point could bring it back.
    """
    _require_demo(lake)
    before = _state(lake)
    point = plan_undrop(lake, repository, str(VICTIM), Wanted()).point.number
    home = _home(lake)
    replace_file(_note(lake.settings), BEGUN)
    deleted = sum(1 for path in home.rglob("*") if path.is_file())
    lake.catalog.drop_table(VICTIM.identifier)
    shutil.rmtree(home)
    if read_pointer(lake.catalog, VICTIM) is not None or home.exists():
        raise AssertionError("the disaster did not happen")
    finish(lake, repository)
    return Disaster(VICTIM, point, deleted, before, _state(lake))


def _require_demo(lake: Lakehouse) -> None:
    identity = lake.require_identity("the demo's disaster")
    if identity.origin != DEMO:
        raise PermanentError(
            "the demo's disaster: this lakehouse was not made by the demo",
            hint="nothing was touched; 'dp drill' proves a restore without one",
        )


def _home(lake: Lakehouse) -> Path:
    """The table's folder. Raises PermanentError unless it is below our own warehouse."""
    warehouse = local_path(lake.settings.warehouse.root)
    location = local_path(lake.catalog.load_table(VICTIM.identifier).location())
    if warehouse is None or location is None or warehouse not in location.resolve().parents:
        raise PermanentError(
            f"the demo's disaster: {VICTIM} is not inside the demo's warehouse",
            hint="nothing was touched",
        )
    return location.resolve()


def _state(lake: Lakehouse) -> TableState:
    """Read from the table itself: rows and content by DuckDB, the rest from its metadata."""
    pointer = existing_pointer(lake.catalog, VICTIM)
    closure = read_closure(LocalLakeFiles(), pointer, history=History.ALL)
    content = read_content(lake, VICTIM)
    sizes = [file.size or 0 for file in closure.files]
    return TableState(
        rows=content.rows,
        snapshots=len(closure.snapshots),
        files=len(closure.files),
        bytes=sum(sizes),
        pointer=pointer,
        content=content.hash,
    )


def _note(settings: Settings) -> Path:
    return settings.state_dir / "demo-disaster"
