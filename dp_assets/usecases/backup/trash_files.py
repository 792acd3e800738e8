"""Where a file goes that is about to be replaced: into the state folder, named by its content."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.local_files import make_folders, sync_folder
from dp_assets.adapters.objects.object_store_local import LocalObjectStore
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.documents import to_json
from dp_assets.domains.backup.hashing import HashingReader, drain

if TYPE_CHECKING:
    from pathlib import Path

    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.settings import Settings


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file whose content was replaced; the old content is ``kept`` in the trash folder."""

    at_ms: int
    table: str
    path: str
    kept: str
    sha256: str
    size: int
    why: str


def replaced_files(settings: Settings) -> Path:
    """One line of JSON per file that was set aside."""
    return settings.state_dir / "trash" / "replaced-files.jsonl"


class Trash:
    """The trash of one lakehouse, for files that a repair replaces; safe for many threads."""

    def __init__(self, settings: Settings, *, table: str, why: str) -> None:
        self._journal = replaced_files(settings)
        self._store = LocalObjectStore(self._journal.parent)
        self._table = table
        self._why = why

    def set_aside(self, files: LakeFiles, path: str) -> SetAside:
        """Copy what is there now, and record it; both are durable when it returns."""
        with files.open(path) as reader, self._store.upload() as upload:
            hashing = HashingReader(reader)
            drain(hashing, upload)
            kept = f"files/{hashing.sha256}"
            upload.commit(kept, replace=True)
        line = SetAside(
            at_ms=now_ms(),
            table=self._table,
            path=path,
            kept=kept,
            sha256=hashing.sha256,
            size=hashing.size,
            why=self._why,
        )
        self._record(line)
        return line

    def _record(self, line: SetAside) -> None:
        make_folders(self._journal.parent)
        # One write of one short line: lines of several threads do not mix.
        descriptor = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, to_json(line) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(self._journal.parent)
