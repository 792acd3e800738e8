"""The spool as a folder: one JSON-lines file per batch.

``<folder>/<namespace.table>/<name>.<rows>.<crc32>.jsonl``, where the name is the time in
milliseconds and a random part. The count and the checksum in the file's name tell a whole file
from a damaged one. Damaged files go to ``<folder>/_damaged/<namespace.table>/`` with a
``.reason.txt`` beside them.
"""

import errno
import json
import re
import secrets
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from dp_assets.adapters.local_files import create_file, move_file, replace_file, sync_folder
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms as machine_now_ms
from dp_assets.ports.spool import Batch, Row, Spool

DAMAGED = "_damaged"
SUFFIX = ".jsonl"
FILE_NAME = re.compile(r"(?P<name>\d{13,}-[0-9a-f]{8})\.(?P<rows>\d+)\.(?P<crc>[0-9a-f]{8})\.jsonl")
# What the disk says about one bad file, as opposed to being full, read-only or out of handles.
BAD_FILE = (errno.EIO, errno.EBADMSG, errno.EACCES, errno.EISDIR)


class FolderSpool(Spool):
    """A spool in ``folder``, which is made when first needed. One machine's, on a local disk."""

    def __init__(self, folder: Path, *, now_ms: Callable[[], int] = machine_now_ms) -> None:
        self._folder = folder
        self._now_ms = now_ms
        self._last_ms = 0

    def add(self, table: TableId, rows: Sequence[Row]) -> None:
        if not rows:
            return
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        # Later batches of one process sort later, even within a millisecond or if the clock is set.
        self._last_ms = max(self._now_ms(), self._last_ms + 1)
        name = f"{self._last_ms:013d}-{secrets.token_hex(4)}"
        file_name = f"{name}.{len(rows)}.{zlib.crc32(content):08x}{SUFFIX}"
        create_file(self._home(table) / file_name, content)

    def tables(self) -> tuple[TableId, ...]:
        if not self._folder.is_dir():
            return ()
        homes = [h for h in self._folder.iterdir() if h.name != DAMAGED and any(_files(h))]
        return tuple(sorted(TableId.parse(unquote(home.name)) for home in homes))

    def pending(self, table: TableId) -> tuple[Batch, ...]:
        whole: list[Batch] = []
        for path in _files(self._home(table)):
            try:
                reason = damage(path)
            except FileNotFoundError:
                continue  # flushed by another process since the listing
            if reason:
                _move_aside(path, self._folder, reason=reason)
            else:
                whole.append(_batch(path))
        return tuple(whole)

    def read(self, batches: Sequence[Batch]) -> list[Row]:
        lines = (line for b in batches for line in b.path.read_bytes().splitlines())
        return [json.loads(line) for line in lines]

    def discard(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            batch.path.unlink(missing_ok=True)
        for home in {batch.path.parent for batch in batches}:
            sync_folder(home)

    def set_aside(self, batch: Batch, *, reason: str) -> None:
        _move_aside(batch.path, self._folder, reason=reason)

    def _home(self, table: TableId) -> Path:
        return self._folder / quote(str(table), safe="")


def _files(home: Path) -> list[Path]:
    """Batch files, oldest first; what a killed ``add`` left unfinished was never promised."""
    return sorted(f for f in home.iterdir() if f.suffix == SUFFIX) if home.is_dir() else []


def _batch(path: Path) -> Batch:
    name, rows, *_ = path.name.split(".")
    return Batch(name=name, path=path, rows_count=int(rows))


def damage(path: Path) -> str | None:
    """What is wrong with a batch file; None for a whole one."""
    promised = FILE_NAME.fullmatch(path.name)
    if not promised:
        return "the name is not that of a batch"
    try:
        content = path.read_bytes()
    except OSError as error:
        if error.errno in BAD_FILE:
            return f"unreadable: {error.strerror}"
        raise
    rows = content.count(b"\n")
    if rows != int(promised["rows"]) or not content.endswith(b"\n"):
        return f"{rows} whole lines, {promised['rows']} were written"
    if zlib.crc32(content) != int(promised["crc"], 16):
        return f"checksum {zlib.crc32(content):08x}, {promised['crc']} was written"
    return None


def _move_aside(path: Path, folder: Path, *, reason: str) -> None:
    target = folder / DAMAGED / path.parent.name / path.name
    # The reason first: a file without a reason would be a riddle, the other way round is none.
    replace_file(target.with_name(f"{target.name}.reason.txt"), f"{reason}\n".encode())
    move_file(path, target)
