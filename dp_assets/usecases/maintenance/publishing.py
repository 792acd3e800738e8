"""A staged commit of maintenance made visible, or certainly not.

While the outcome of an attempt is not known, nothing is deleted and nothing is tried again. An
attempt is known to have failed when its pointer swap was not reached, or when the pointer is
elsewhere and the snapshot not in the table: then its swap can never happen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.iceberg_json import Json
from dp_assets.adapters.iceberg_publish import publish
from dp_assets.adapters.iceberg_snapshot import Staged
from dp_assets.adapters.iceberg_state import TableState, load_state
from dp_assets.adapters.pyiceberg_create import refuse_foreign
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import LakeError, OutcomeUnknownError
from dp_assets.core.ids import TableId
from dp_assets.domains.maintenance.replace_summary import COMMIT, RUN_ID
from dp_assets.ports.closure import ParsedFiles, TableClosure
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.recovery import History

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.io import FileIO

ATTEMPTS = 10
UNTOUCHED = "nothing is visible; run it again, the plan is made anew"


@dataclass(frozen=True)
class Surroundings:
    """Where a commit happens; ``guard`` is called right before a pointer moves."""

    catalog: Catalog
    io: FileIO
    files: LakeFiles
    guard: Callable[[], None]
    now_ms: Callable[[], int]
    failpoint: Callable[[str], None]


@dataclass
class Publishing:
    """One commit to one table; ``run_id`` and ``commit`` in its summary tell it from others.

    Attributes:
        doing: what is being done, for errors.
    """

    around: Surroundings
    table: TableId
    doing: str
    run_id: str
    commit: str
    _is_swapping: bool = False

    def fresh(self, known: ParsedFiles) -> tuple[TableState, TableClosure]:
        """The table now, what is ``known`` of it not read again. Raises LakeError."""
        with verdicts(self.doing, hint=UNTOUCHED):
            pointer = existing_pointer(self.around.catalog, self.table)
            state = load_state(self.around.io, pointer)
            refuse_foreign(self.table, state.raw.get("properties") or {})
            files, history = self.around.files, History.CURRENT
            return state, read_closure(files, pointer, history=history, known=known)

    def publish(self, staged: Staged, *, kept: Collection[str], is_last: bool) -> TableState | None:
        """The table afterwards; None when another writer was first.

        Args:
            staged: all its files are on disk; they are deleted when it failed.
            kept: files of ours that another attempt needs, and nobody after the last one.
            is_last: there is none; a lost race is raised.
        """
        self._is_swapping = False
        try:
            with verdicts(f"commit to {self.table}", hint=UNTOUCHED):
                return publish(
                    self.around.catalog, self.table, staged, before_swap=self._before_swap
                )
        except LakeError as error:
            if self._is_swapping:
                now = self._now()
                if now is not None and self.landed(now.raw) == staged.snapshot.snapshot_id:
                    return now
                is_unknown = isinstance(error, OutcomeUnknownError)
                if is_unknown or now is None or now.pointer == staged.base.pointer:
                    raise
            self.delete(path for path in staged.written if path not in kept)
            if is_last or not self._is_swapping:
                self.delete(kept)
                raise
            return None

    def landed(self, metadata: Json) -> int | None:
        """The snapshot of this very commit, whatever came after it."""
        for snapshot in metadata.get("snapshots") or ():
            said = snapshot.get("summary") or {}
            if (said.get(RUN_ID), said.get(COMMIT)) == (self.run_id, self.commit):
                return snapshot["snapshot-id"]
        return None

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files of ours that nothing names; the sweep finds what cannot be deleted."""
        for path in paths:
            with suppress(LakeError):
                self.around.files.delete(path)

    def _before_swap(self) -> None:
        self.around.failpoint("metadata-written")
        self.around.guard()
        self._is_swapping = True

    def _now(self) -> TableState | None:
        """The table, None when it cannot be read."""
        with suppress(LakeError), verdicts(self.doing, hint=""):
            return load_state(self.around.io, existing_pointer(self.around.catalog, self.table))
        return None
