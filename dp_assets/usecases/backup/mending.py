"""Putting damaged things back from a replica, each checked before it replaces anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import has_checksum
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.reachable import Reachable
from dp_assets.domains.backup.replica import copy_object
from dp_assets.domains.backup.verify_objects import examine, expect
from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError
from dp_assets.ports.repository_index import Checked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.backup.verification import Damage
    from dp_assets.domains.backup.verify_objects import Expected
    from dp_assets.ports.recovery import PointRecord
    from dp_assets.ports.repository_index import RepositoryIndex


def mend(
    repository: Repository,
    replica: Repository,
    damages: Iterable[Damage],
    index: RepositoryIndex,
    *,
    now_ms: int,
) -> frozenset[str]:
    """Replace what is damaged by what the replica has; the keys that were put back.

    What an object must be is read from the points of the replica: a record or a list that is
    lost here is whole there, and what it describes is looked at, too.

    Raises:
        PermanentError: the replica holds another repository, or this one cannot be written.
    """
    if replica.description.repository_id != repository.description.repository_id:
        raise PermanentError(
            f"{replica.store.address} holds repository {replica.description.repository_id}, this "
            f"is {repository.description.repository_id}",
            hint="'dp replicate' makes a copy that can mend",
        )
    waiting = [damage.key for damage in damages if not damage.mended]
    documents = [key for key in waiting if layout.object_name(key) is None]
    done = {key for key in documents if _mend_document(repository, replica, key)}
    points = Points(replica)
    records = [record for number in points.numbers() if (record := points.find(number))]
    expected, _ = expect(points, records)
    done |= _mend_hidden_manifests(repository, replica, documents)
    damaged = frozenset(name for key in waiting if (name := layout.object_name(key)))
    hidden = _hidden(points, records, documents=documents, damaged=damaged)
    for name in sorted(n for n in damaged | hidden if n in expected):
        # What was hidden was never looked at, and most of it is whole.
        is_bad = name in damaged or examine(repository.store, name, expected.forms(name))
        if is_bad and _mend_object(repository, replica, name, expected):
            done.add(layout.object_key(name))
            index.set_checked({name: Checked(now_ms, damaged=False)})
    return frozenset(done)


def _mend_hidden_manifests(
    repository: Repository, replica: Repository, documents: Iterable[str]
) -> set[str]:
    """Without its record nobody could tell whether a manifest is whole."""
    done: set[str] = set()
    for number in {at[0] for key in documents if (at := layout.point_of(key))}:
        for info in replica.store.list(layout.point_key(number, "manifest.")):
            content = _found(replica, info.key)
            if content is not None and content != _found(repository, info.key, checked=False):
                repository.store.put(info.key, content)
                done.add(info.key)
    return done


def _found(place: Repository, key: str, *, checked: bool = True) -> bytes | None:
    try:
        return _whole_document(place, key) if checked else place.store.read(key)
    except PermanentError:
        return None


def _hidden(
    points: Points,
    records: Iterable[PointRecord],
    *,
    documents: Iterable[str],
    damaged: frozenset[str],
) -> frozenset[str]:
    """What nobody could look at, for what describes it was damaged: a record, or a list."""
    numbers = {at[0] for key in documents if (at := layout.point_of(key))}
    found: set[str] = set()
    for record in records:
        if record.number in numbers or damaged.intersection(record.references):
            found.update(one.name for one in Reachable(points).objects(record))
    return frozenset(found)


def _mend_object(
    repository: Repository, replica: Repository, name: str, expected: Expected
) -> bool:
    try:
        copy_object(replica.store, repository.store, name, expected.forms(name))
    except (MissingObjectError, DamagedObjectError):
        return False
    return True


def _mend_document(repository: Repository, replica: Repository, key: str) -> bool:
    content = _found(replica, key)
    if content is not None:
        repository.store.put(key, content)
    return content is not None


def _whole_document(replica: Repository, key: str) -> bytes:
    """A manifest is checked by the record beside it, everything else by its own checksum.

    Raises:
        PermanentError: the replica does not have it whole.
    """
    at = layout.point_of(key)
    if at and at[1].startswith("manifest."):
        points = Points(replica)
        return points.stored_manifest(points.record(at[0]))
    content = replica.store.read(key)
    if not has_checksum(content):
        raise DamagedObjectError(f"{key} is damaged in both places", hint="'dp verify'")
    return content
