"""The dumps of one lakehouse, each in a folder named by time and kind."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dp_assets.adapters.local_files import make_folders, sync_folder
from dp_assets.adapters.metastore.dump_folder import (
    RECORD,
    DumpRecord,
    folder_name,
    read_check,
    read_record,
)
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.ports.metastore import DumpCheck, MetastoreKind

NAME = re.compile(r"(\d{8}T\d{6}Z)-[a-z]+")


@dataclass(frozen=True, slots=True)
class StoredDump:
    """A dump in its folder.

    Attributes:
        record: None while it is unfinished, and for ever if it was killed, or damaged.
        check: what its last check found; None when it was not checked.
        problem: why there is no record, in words.
    """

    folder: Path
    taken_at_ms: int
    record: DumpRecord | None
    check: DumpCheck | None
    problem: str = ""

    @property
    def finished(self) -> bool:
        """Whether its record was written, damaged or not."""
        return (self.folder / RECORD).exists()


def new_folder(dumps: Path, *, now_ms: int, kind: MetastoreKind) -> Path:
    """Make the folder of a dump that begins now.

    Raises TransientError when another one began within the same second.
    """
    make_folders(dumps)
    folder = dumps / folder_name(now_ms, kind)
    try:
        folder.mkdir()
    except FileExistsError:
        raise TransientError(
            f"dump {folder.name} was begun by somebody else this second", hint="run it again"
        ) from None
    sync_folder(dumps)
    return folder


def stored_dumps(dumps: Path) -> tuple[StoredDump, ...]:
    """Every dump in the folder ``dumps``, oldest first; other things there are left alone."""
    return tuple(_stored(dumps)) if dumps.is_dir() else ()


def remove_dump(folder: Path) -> None:
    """Delete a dump; a kill on the way leaves an unfinished one, never a damaged one."""
    (folder / RECORD).unlink(missing_ok=True)
    sync_folder(folder)
    shutil.rmtree(folder)
    sync_folder(folder.parent)


def _stored(dumps: Path) -> Iterator[StoredDump]:
    for folder in sorted(dumps.iterdir()):
        named = NAME.fullmatch(folder.name)
        if not named or not folder.is_dir():
            continue
        moment = datetime.strptime(named[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        begun_ms = int(moment.timestamp() * 1000)
        try:
            record = read_record(folder)
        except PermanentError as error:
            yield StoredDump(folder, begun_ms, None, None, problem=error.what)
        else:
            yield StoredDump(folder, record.taken_at_ms, record, read_check(folder))
