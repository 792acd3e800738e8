"""What can be done about one damaged table: a plan that names everything and changes nothing.

It sees the table as it will be: what can come back is read from the repository already, so that
one plan covers everything, however deep the damage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.domains.lake.fsck import STATISTICS, Problem, hint_for
from dp_assets.domains.lake.naming import find_table
from dp_assets.domains.lake.repairing import TableRepair
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets.ports.recovery import FileKind
from dp_assets.usecases.backup.checking import ATTEMPTS
from dp_assets.usecases.backup.copied_files import is_whole
from dp_assets.usecases.backup.mended_files import MendedFiles
from dp_assets.usecases.backup.repair_ways import forget_way, roll_back_way, snapshot_rows
from dp_assets.usecases.backup.restore_planning import require_object
from dp_assets.usecases.backup.stored_copies import StoredCopies
from dp_assets.usecases.backup.table_checking import Looking, TableCheck

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dp_assets.core.ids import TableId
    from dp_assets.domains.backup.progress import BackupProgress
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.lake.fsck import Finding
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.recovery import StoredFile
    from dp_assets.usecases.backup.table_checking import Checked


def plan_table_repair(
    lake: Lakehouse,
    repository: Repository | None,
    name: str,
    *,
    progress: BackupProgress | None = None,
) -> TableRepair:
    """Read the whole table and say what can be done about it; changes nothing.

    Raises:
        ConfigurationError: there is no such table.
        PermanentError: its metadata file cannot be read and no recovery point holds it.
        TransientError: something did not answer, or the table never stood still.
    """
    table = find_table(name, list_pointers(lake.catalog))
    for _ in range(ATTEMPTS):
        pointer = existing_pointer(lake.catalog, table)
        plan = _Planning(lake, repository, table, progress).plan(pointer)
        if existing_pointer(lake.catalog, table) == pointer:
            return plan
    raise TransientError(f"{table} changes while it is looked at", hint="run it again")


class _Planning:
    def __init__(
        self,
        lake: Lakehouse,
        repository: Repository | None,
        table: TableId,
        progress: BackupProgress | None,
    ) -> None:
        self._table = table
        self._repository = repository
        self._files = lake.files
        self._mended = MendedFiles(self._files, repository)
        self._copies = StoredCopies(repository) if repository else None
        options = {"progress": progress} if progress else {}
        looking = Looking(
            self._files, lake.settings.backup.workers, deep=True, copies=self._copies, **options
        )
        self._check = TableCheck(looking, table)

    def plan(self, pointer: str) -> TableRepair:
        checked = self._check.run(pointer)
        findings = list(checked.findings)
        while self._bring_back(checked):
            checked = self._check.run(pointer, files=self._mended, skip=self._mended.back)
            # What only comes to light when lists and manifests are back.
            findings += checked.findings
        self._require_read(checked)
        back = self._mended.back.values()
        different = tuple(s for s in back if self._files.stat(s.file.path))
        there = {s.file.path for s in different}
        return self._with_ways(
            checked,
            findings=_each_file_once(findings),
            missing=tuple(s for s in back if s.file.path not in there),
            different=different,
        )

    def _bring_back(self, checked: Checked) -> bool:
        """Take what a recovery point holds for back; whether there was any."""
        fresh = False
        for finding in checked.findings:
            stored = self._copy_for(finding, checked) if finding.is_damage else None
            if stored is not None and one_spelling(finding.path) not in self._mended.back:
                self._mended.back[one_spelling(finding.path)] = stored
                fresh = True
        return fresh

    def _copy_for(self, finding: Finding, checked: Checked) -> StoredFile | None:
        """The first copy that is another content than what is there, and whole."""
        if self._copies is None or self._repository is None:
            return None
        if finding.kind is FileKind.METADATA and checked.closure is None:
            found = self._copies.metadata(self._table, checked.pointer)
            candidates = (found,) if found else ()
        else:
            candidates = checked.copies.get(one_spelling(finding.path), ())
        for stored in candidates:
            try:
                require_object(self._repository, stored.ref, about=finding.path)
            except DamagedObjectError:
                continue
            if finding.problem is Problem.MISSING or not is_whole(
                self._files, stored.file.path, stored.ref
            ):
                return stored
        return None

    def _require_read(self, checked: Checked) -> None:
        if checked.closure is not None:
            return
        finding = checked.findings[0]
        error = TransientError if finding.problem is Problem.UNCHECKED else PermanentError
        raise error(
            f"the metadata of {self._table} cannot be read, and no recovery point holds it: "
            f"{finding.path or 'its pointer'}: {finding.what}",
            hint=hint_for(self._table, FileKind.METADATA, breaks_head=True, breaks_refs=True),
        )

    def _with_ways(
        self,
        checked: Checked,
        *,
        findings: tuple[Finding, ...],
        missing: tuple[StoredFile, ...],
        different: tuple[StoredFile, ...],
    ) -> TableRepair:
        closure, left = checked.closure, checked.findings
        if closure is None:
            raise AssertionError
        head = next((s for s in closure.snapshots if s.snapshot_id == closure.head), None)
        at_head = [f for f in left if closure.head in f.snapshots and f.kind not in STATISTICS]
        lost = [f for f in at_head if f.is_damage]
        files = self._mended
        return TableRepair(
            table=self._table,
            pointer=checked.pointer,
            head=closure.head,
            findings=findings,
            missing=missing,
            different=different,
            left=left,
            **({"head_rows": snapshot_rows(closure, files, head)} if head else {}),
            roll_back=roll_back_way(closure, files, left) if lost else None,
            forget=forget_way(closure, files, lost) if lost else None,
        )


def _each_file_once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """As it was first found."""
    found: dict[str, Finding] = {}
    for finding in findings:
        found.setdefault(one_spelling(finding.path), finding)
    return tuple(found.values())
