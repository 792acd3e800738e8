"""What earlier points hold of each table: an unchanged table is taken over without being read.

The manifest of the newest point says it. Who writes an encrypted repository without a private
key cannot read that, so the manifest of the last point made here is also kept on this machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.local_files import replace_file
from dp_assets.core.errors import LakeError
from dp_assets.domains.backup.documents import checked, unchecked
from dp_assets.ports.recovery import PointManifest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from dp_assets.core.ids import TableId
    from dp_assets.domains.backup.points import Points
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.recovery import History, PointRecord, PointTable
    from dp_assets.settings import Settings


@dataclass(frozen=True, slots=True)
class KeptManifest:
    """The manifest of a point as kept on this machine; its stored hash tells which point."""

    manifest_sha256: str
    manifest: PointManifest


def kept_file(settings: Settings, repository: Repository) -> Path:
    """Where this machine keeps the manifest of its last point."""
    return settings.indexes_dir / f"{repository.description.repository_id}.last-point.json"


def keep_manifest(path: Path, record: PointRecord, manifest: PointManifest) -> None:
    """Remember it for the next backup. Raises OSError."""
    replace_file(path, checked(KeptManifest(record.manifest_sha256, manifest)))


def previous_manifest(
    points: Points, repository: Repository, *, kept: Path, lakehouse_id: str
) -> PointManifest | None:
    """The manifest of the newest point of this lakehouse that can be read here; None: no such.

    A damaged manifest is no reason to make no new point: then more is read.
    """
    numbers = points.numbers()
    readable = repository.sealing.can_open
    mine = _kept(kept)
    fits = mine is not None and (not readable or mine.manifest.number in numbers[-1:])
    if mine is not None and fits and _is_point(points, mine, numbers, lakehouse_id):
        return mine.manifest
    for number in reversed(numbers if readable else ()):
        try:
            record = points.record(number)
            if record.lakehouse_id == lakehouse_id:
                return points.manifest(record)
        except LakeError:
            continue
    return None


def _kept(path: Path) -> KeptManifest | None:
    try:
        return unchecked(KeptManifest, path.read_bytes(), about=str(path))
    except (OSError, LakeError):
        return None


def _is_point(
    points: Points, kept: KeptManifest, numbers: Collection[int], lakehouse_id: str
) -> bool:
    """Whether the kept manifest is that of a point which still exists."""
    number = kept.manifest.number
    if kept.manifest.lakehouse_id != lakehouse_id or number not in numbers:
        return False
    try:
        return points.record(number).manifest_sha256 == kept.manifest_sha256
    except LakeError:
        return False


def reusable(
    previous: PointManifest | None, pointers: Mapping[TableId, str], *, history: History
) -> list[PointTable]:
    """Lines of ``previous`` whose table still has the pointer it had."""
    if previous is None or previous.history is not history:
        return []
    wanted = {str(table): pointer for table, pointer in pointers.items()}
    return [
        line
        for line in previous.tables
        if not line.problem and line.content and wanted.get(line.table) == line.pointer
    ]


def doubted(previous: PointManifest | None) -> dict[str, PointTable]:
    """Tables of which a known file had changed unseen: they are read whole until all agrees."""
    lines = previous.tables if previous else ()
    return {line.table: line for line in lines if line.problem and line.content}
