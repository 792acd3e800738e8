"""The records of the trash: one object each, beside the warehouse.

They are where the files are, not in the catalog and not on one machine: every machine sees them,
a restored dump of the catalog does not bring old ones back, and a warehouse that is moved or
deleted takes them along. ``trash/<uuid of the table>/<id>.json`` holds JSON and its SHA-256.
"""

from collections.abc import Callable

from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.guards import unguarded
from dp_assets.core.units import utc
from dp_assets.domains.backup.documents import checked, unchecked
from dp_assets.ports.maintenance_trash import TrashRecord
from dp_assets.ports.object_store import (
    DamagedObjectError,
    MissingObjectError,
    ObjectStore,
)

PREFIX = "trash/"
SUFFIX = ".json"


def new_id(now_ms: int, token: str) -> str:
    """``20261121-163000-1a2b3c4d``; ``token`` is what makes it unique."""
    return f"{utc(now_ms):%Y%m%d-%H%M%S}-{token}"


class TrashRecords:
    """All records of one warehouse, those of other lakehouses in it included."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def all(self) -> tuple[TrashRecord, ...]:
        """Oldest first. Raises PermanentError when one cannot be read."""
        return self._below(PREFIX)

    def of(self, uuid: str) -> tuple[TrashRecord, ...]:
        """Those of one table, oldest first. Raises PermanentError when one cannot be read."""
        return self._below(f"{PREFIX}{uuid}/")

    def get(self, record_id: str) -> TrashRecord:
        """Raises ConfigurationError when there is none of that id, PermanentError as `all`."""
        for info in self._store.list(PREFIX):
            if info.key.endswith(f"/{record_id}{SUFFIX}"):
                return self._read(info.key)
        raise ConfigurationError(
            f"there is nothing called {record_id} in the trash", hint="'dp trash list' lists it"
        )

    def again(self, record: TrashRecord) -> TrashRecord | None:
        """The record as it is now; None when somebody removed it meanwhile."""
        try:
            return self._read(_key(record))
        except MissingObjectError:
            return None

    def put(self, record: TrashRecord, *, guard: Callable[[], None] = unguarded) -> None:
        """Store it, new or not; durable when this returns.

        ``guard`` is asked at the last moment: once the table's lease is lost, somebody else may
        have decided otherwise about the record. What it raises is raised.
        """
        self._store.put(_key(record), checked(record), guard=guard)

    def remove(self, record: TrashRecord) -> None:
        """Forget it; one that is not there is no error."""
        self._store.delete([_key(record)])

    def _below(self, prefix: str) -> tuple[TrashRecord, ...]:
        found: list[TrashRecord] = []
        for info in list(self._store.list(prefix)):
            try:
                found.append(self._read(info.key))
            except MissingObjectError:
                continue  # removed since it was listed
        return tuple(sorted(found, key=lambda record: (record.at_ms, record.id)))

    def _read(self, key: str) -> TrashRecord:
        about = f"{self._store.address}/{key}"
        try:
            return unchecked(
                TrashRecord,
                self._store.read(key),
                about=about,
                is_right=lambda record: _key(record) == key,
            )
        except DamagedObjectError as error:
            raise PermanentError(
                f"trash record {about} is damaged: {error.what}",
                hint="no file is deleted meanwhile; once that object is away, what it named is "
                "found by the sweep for orphans",
            ) from error


def _key(record: TrashRecord) -> str:
    return f"{PREFIX}{record.uuid}/{record.id}{SUFFIX}"
