"""The recovery points of a repository as people look at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.errors import ConfigurationError, LakeError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import unchecked
from dp_assets.domains.backup.pins import pinned_numbers
from dp_assets.domains.backup.points import Points
from dp_assets.ports.recovery import PointManifest, PointRecord, ProofRecord

if TYPE_CHECKING:
    from dp_assets.domains.backup.repository import Repository


@dataclass(frozen=True, slots=True)
class ListedPoint:
    """One point; ``files`` is None without a private key.

    Attributes:
        record: None when it is damaged; ``problem`` says so then.
        proven: a drill proved it; None when none was held.
    """

    number: int
    record: PointRecord | None
    files: int | None
    proven: bool | None
    pinned: bool
    problem: str


def list_points(repository: Repository) -> tuple[ListedPoint, ...]:
    """Every point, oldest first; a damaged one is listed with its problem."""
    points = Points(repository)
    pinned, proofs = pinned_numbers(repository.store), _proofs(repository)
    return tuple(
        _listed(points, repository, number, pinned=number in pinned, proven=proofs.get(number))
        for number in points.numbers()
    )


def read_point(repository: Repository, number: int) -> tuple[PointRecord, PointManifest]:
    """Both parts of a point. Raises ConfigurationError for no such point or no key."""
    points = Points(repository)
    record = points.record(number)
    if not repository.sealing.can_open:
        raise ConfigurationError(
            f"recovery point {number} is encrypted and no private key was given",
            hint="give it with --key FILE or repository.identity_files",
        )
    return record, points.manifest(record)


def _listed(
    points: Points, repository: Repository, number: int, *, pinned: bool, proven: bool | None
) -> ListedPoint:
    record, files, problem = None, None, ""
    try:
        record = points.record(number)
        if repository.sealing.can_open:
            tables = points.manifest(record).tables
            files = sum(line.files for line in tables)
            problem = "; ".join(f"{t.table}: {t.problem}" for t in tables if t.problem)
    except LakeError as error:
        problem = error.what
    return ListedPoint(number, record, files, proven, pinned, problem)


def _proofs(repository: Repository) -> dict[int, bool]:
    """Point -> what its newest drill said; a damaged record proves nothing."""
    found: dict[int, bool] = {}
    for info in repository.store.list(layout.PROOFS):
        number = layout.number_of(info.key)
        if number is None:
            continue
        try:
            about = f"{repository.store.address}/{info.key}"
            proof = unchecked(ProofRecord, repository.store.read(info.key), about=about)
        except LakeError:
            continue
        found[number] = proof.proven
    return found
