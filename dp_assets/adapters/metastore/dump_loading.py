"""The part of a dump's check that every kind shares: damage first, then loading, then comparing."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dp_assets.adapters.metastore.dump_folder import (
    damaged_files,
    read_record,
    read_state,
    record_sha256,
)
from dp_assets.core.errors import PermanentError
from dp_assets.ports.metastore import DumpCheck


class NotRestoringError(PermanentError):
    """The dump itself is why it could not be loaded."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was found in the scratch; ``problems`` is empty when it is what was recorded."""

    problems: tuple[str, ...] = ()
    pointers: int = 0
    rows: int = 0


def examined(folder: Path, load: Callable[[], Loaded], *, scratch: str, now_ms: int) -> DumpCheck:
    """The check of the dump in ``folder``, loaded by ``load`` unless it is visibly damaged."""
    loaded = _damage(folder) or _loaded(load)
    return DumpCheck(
        problems=loaded.problems,
        pointers=loaded.pointers,
        rows=loaded.rows,
        scratch=scratch,
        checked_at_ms=now_ms,
        dump_sha256=record_sha256(folder),
    )


def _damage(folder: Path) -> Loaded | None:
    """What can be seen without loading; None when there is nothing."""
    try:
        record = read_record(folder)
        problems = list(damaged_files(folder, record))
        if not problems and (found := len(read_state(folder).pointers)) != record.pointers:
            problems.append(f"catalog.json has {found} tables, {record.pointers} are recorded")
    except PermanentError as error:
        problems = [error.what]
    return Loaded(tuple(problems)) if problems else None


def _loaded(load: Callable[[], Loaded]) -> Loaded:
    try:
        return load()
    except NotRestoringError as error:
        return Loaded((error.what,))
