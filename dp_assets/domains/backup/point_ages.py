"""What retention has to know of the points, read from the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import DAMAGED, unchecked
from dp_assets.domains.backup.pins import pinned_numbers
from dp_assets.domains.backup.reachable import naming_point
from dp_assets.domains.backup.retention import PointAge
from dp_assets.domains.backup.verify_documents import vanished
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets.ports.recovery import ProofRecord

if TYPE_CHECKING:
    from collections.abc import Collection

    from dp_assets.domains.backup.points import Points
    from dp_assets.domains.backup.repository import Repository


def point_ages(
    repository: Repository, points: Points, *, given_up: Collection[int] = ()
) -> tuple[PointAge, ...]:
    """Every point but the given-up ones, oldest first.

    Raises:
        DamagedObjectError: a point or a proof cannot be read, or a point has vanished. What should
            be kept cannot be told then.
    """
    lost = [n for n in vanished(repository, points.files()) if n not in given_up]
    if lost:
        raise DamagedObjectError(
            f"both copies of the record of recovery point {lost[0]} are gone, so nothing may be "
            "deleted",
            hint="'dp verify --mend-from URL' puts them back from a replica; "
            f"'dp prune --forget {lost[0]}' gives that point up",
        )
    pinned, proven = pinned_numbers(repository.store), proven_numbers(repository)
    ages: list[PointAge] = []
    for number in points.numbers():
        with naming_point(number):
            record = None if number in given_up else points.find(number)
        if record:
            ages.append(
                PointAge(
                    number,
                    record.created_at_ms,
                    complete=record.complete,
                    proven=number in proven,
                    pinned=number in pinned,
                )
            )
    return tuple(ages)


def proven_numbers(repository: Repository) -> frozenset[int]:
    """Points whose newest drill proved them: a later failure takes an earlier proof back.

    Raises DamagedObjectError.
    """
    newest: dict[int, ProofRecord] = {}
    for info in repository.store.list(layout.PROOFS):
        if number := layout.number_of(info.key):
            content = repository.store.read(info.key)
            try:
                proof = unchecked(ProofRecord, content, about=info.key)
            except DamagedObjectError as error:
                raise DamagedObjectError(
                    f"{error.what}, so it cannot be told whether point {number} is proven",
                    hint=f"{DAMAGED}; or delete that file, and the point counts as unproven",
                ) from error
            if proof.point == number:
                newest[number] = max(proof, newest.get(number, proof), key=lambda one: one.at_ms)
    return frozenset(number for number, proof in newest.items() if proof.proven)
