"""What a restore will do, decided before anything is written: point, tables, names, places."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.ids import TableId
from dp_assets.core.units import format_bytes, iso_utc
from dp_assets.domains.backup.renaming import Rename, is_glob
from dp_assets.domains.lake import identity, initialisation
from dp_assets.ports.recovery import ObjectRef, PointRecord

NEWER = "'dp points' lists what there is"
# Facts about one lakehouse, not about a namespace: a restored lakehouse has its own.
OF_THE_LAKEHOUSE = frozenset(
    (
        identity.ID,
        identity.ADDRESS,
        identity.WAREHOUSE,
        identity.ORIGIN,
        initialisation.CLONED_FROM,
    )
)
LOCATION = "location"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        point: its number; None for the newest complete one.
        as_of_ms: the newest complete point whose cut is not later; None for no limit.
        tables: globs; none for everything.
        replace: existing tables may be replaced; their old pointers are recorded.
    """

    point: int | None = None
    as_of_ms: int | None = None
    tables: tuple[str, ...] = ()
    renames: tuple[Rename, ...] = ()
    replace: bool = False

    @property
    def is_everything(self) -> bool:
        """Nothing is left out and nothing is renamed."""
        return not self.tables and not self.renames


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One table on its way back.

    Attributes:
        uuid: that it will have.
        source_uuid: that it had; the two differ beside a living original.
        location: the folder it will live in.
        pointer: the metadata file that will be registered.
        replaces: the pointer of the table that has the name now; "" when the name is free.
        content: the document that lists its files.
    """

    source: TableId
    target: TableId
    uuid: str
    source_uuid: str
    location: str
    pointer: str
    content: ObjectRef
    files: int
    bytes: int
    rows: int | None
    snapshots: int
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A table that does not come back, and why."""

    table: str
    why: str


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """The whole restore, as it is shown, recorded and carried out."""

    repository_id: str
    lakehouse_id: str
    point: int
    cut_at_ms: int
    warehouse: str
    tables: tuple[TablePlan, ...]
    refused: tuple[Refused, ...] = ()
    everything: bool = False

    @property
    def bytes(self) -> int:
        """Of all tables."""
        return sum(table.bytes for table in self.tables)

    @property
    def files(self) -> int:
        """Of all tables."""
        return sum(table.files for table in self.tables)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is in the target already; uuids in lower case."""

    pointers: Mapping[TableId, str]
    uuids: Mapping[TableId, str]


NOTHING_BESIDE = Beside({}, {})


def choose_point(records: Iterable[PointRecord], wanted: Wanted) -> PointRecord:
    """The point to restore.

    Args:
        records: newest first; read no further than needed.
        wanted: a number, a time, or neither.

    Raises ConfigurationError when there is none.
    """
    newest_incomplete: PointRecord | None = None
    for record in records:
        if wanted.point is not None:
            if record.number == wanted.point:
                return record
            continue
        if wanted.as_of_ms is not None and record.cut_at_ms > wanted.as_of_ms:
            continue
        if record.complete:
            return record
        newest_incomplete = newest_incomplete or record
    raise _no_point(wanted, newest_incomplete)


def _no_point(wanted: Wanted, incomplete: PointRecord | None) -> ConfigurationError:
    if wanted.point is not None:
        return ConfigurationError(f"there is no recovery point {wanted.point}", hint=NEWER)
    until = f" at or before {iso_utc(wanted.as_of_ms)}" if wanted.as_of_ms is not None else ""
    hint = NEWER
    if incomplete:
        hint = f"--point {incomplete.number} restores what an incomplete one holds; {NEWER}"
    return ConfigurationError(f"there is no complete recovery point{until}", hint=hint)


def home(warehouse: str, table: TableId, *, suffix: str = "") -> str:
    """The folder of a table in a warehouse; with a suffix beside the table that it replaces."""
    folder = "/".join((warehouse.rstrip("/"), *table.identifier))
    return f"{folder}-{suffix}" if suffix else folder


def uuid_of_copy(source: str, beside: Beside, *, replaced: TableId | None, new_id: str) -> str:
    """The uuid of a restored table: its own, unless another table there has it.

    Two tables of one uuid in one catalog would be taken for one and the same.
    """
    others = {uuid.lower() for table, uuid in beside.uuids.items() if table != replaced}
    return new_id if source.lower() in others else source


def require_free(target: TableId, beside: Beside, *, replace: bool) -> str:
    """The pointer that will be replaced; "" when the name is free.

    Raises PermanentError when it is taken and may not be replaced.
    """
    twins = [t for t in beside.pointers if str(t).lower() == str(target).lower()]
    if not twins:
        return ""
    if replace and twins == [target]:
        return beside.pointers[target]
    raise PermanentError(
        f"there is a table {twins[0]} already",
        hint="--rename gives another name; --replace puts the restored one in its place",
    )


def require_named(refused: Sequence[Refused], patterns: Sequence[str]) -> None:
    """A table that was asked for by its whole name is not left out quietly.

    Raises PermanentError.
    """
    named = {pattern for pattern in patterns if not is_glob(pattern)}
    for one in refused:
        if one.table in named:
            raise PermanentError(
                f"{one.table} cannot be restored: {one.why}",
                hint="choose an older point with --point; 'dp points' lists them",
            )


def require_room(needed: int, free: int | None, *, where: str) -> None:
    """Raises PermanentError when ``needed`` bytes are more than ``free``; None is unknown."""
    if free is not None and needed > free:
        raise PermanentError(
            f"{format_bytes(needed)} are to be restored, {where} has {format_bytes(free)} free",
            hint="make room, choose tables with --table, or another place with --to",
        )


def moved_namespace(
    properties: Mapping[str, str], *, old_root: str, new_root: str
) -> dict[str, str]:
    """The properties of a namespace in its new home.

    Its location is where the catalog puts new tables: one inside the old warehouse moves along,
    any other is left out, so that nothing is ever written to the old place.
    """
    kept = {k: v for k, v in properties.items() if k not in OF_THE_LAKEHOUSE and k != LOCATION}
    location, root = properties.get(LOCATION, ""), old_root.rstrip("/")
    if location.startswith(f"{root}/"):
        kept[LOCATION] = new_root.rstrip("/") + location[len(root) :]
    return kept
