"""What an examination of the tables' files finds, what each breaks, and what to do about it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dp_assets.core.ids import TableId
from dp_assets.domains.lake.doctor import counted, some
from dp_assets.ports.closure import TableClosure, one_spelling
from dp_assets.ports.doctor import MetadataFile
from dp_assets.ports.recovery import FileKind

MAIN = "main"
STATISTICS = frozenset({FileKind.STATISTICS, FileKind.PARTITION_STATISTICS})
DELETES = frozenset(
    {FileKind.POSITION_DELETES, FileKind.EQUALITY_DELETES, FileKind.DELETION_VECTORS}
)


class Problem(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    EMPTY = "empty"
    SIZE = "wrong size"
    ALTERED = "altered"
    UNREADABLE = "unreadable"
    ROWS = "wrong row count"
    UNCHECKED = "not checked"
    BEHIND = "pointer behind"
    SHARED = "shared location"


FILE_PROBLEMS = frozenset(Problem) - {Problem.UNCHECKED, Problem.BEHIND, Problem.SHARED}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one table.

    Attributes:
        path: as the table spells it; "" when it is not about a file.
        what: the facts.
        snapshots: that need the file, in the order of the metadata.
        refs: branches and tags that point at one of them.
        rows: of the current snapshot that cannot be read for it; None when that is not known.
        rows_exact: else there are at most so many.
        hint: what to do.
    """

    table: str
    problem: Problem
    path: str
    kind: FileKind | None
    what: str
    snapshots: tuple[int, ...] = ()
    refs: tuple[str, ...] = ()
    rows: int | None = 0
    rows_exact: bool = True
    hint: str = ""

    @property
    def is_damage(self) -> bool:
        """Whether a file is not what the table needs."""
        return self.problem in FILE_PROBLEMS


@dataclass(frozen=True, slots=True)
class Fsck:
    """An examination.

    Attributes:
        compared: files that were also held against the repository.
        unusable: what of the repository could not be read for that.
    """

    tables: int
    files: int
    bytes: int
    compared: int
    findings: tuple[Finding, ...]
    unusable: tuple[str, ...] = ()


def refs_at(closure: TableClosure, snapshots: Collection[int]) -> tuple[str, ...]:
    """The branches and tags that point at one of ``snapshots``; the current one is main's."""
    found = {name for name, ref in closure.refs.items() if ref["snapshot-id"] in snapshots}
    if closure.head in snapshots:
        found.add(MAIN)
    return tuple(sorted(found))


def hint_for(table: TableId, kind: FileKind, *, breaks_head: bool, breaks_refs: bool) -> str:
    """What to do about a damaged file."""
    if kind is FileKind.METADATA:
        return (
            f"'dp repair {table}' puts it back if a recovery point holds it; 'dp doctor --repair' "
            f"moves the pointer back; 'dp undrop {table}' brings back an older state"
        )
    repair = f"'dp repair {table}' puts it back from the repository, or shows what else there is"
    if kind in STATISTICS:
        return f"no reader needs it; {repair}"
    if breaks_head or breaks_refs:
        return repair
    return f"only old snapshots need it, until they expire; {repair}"


def of_the_table(pointer: MetadataFile, others: Sequence[MetadataFile]) -> list[MetadataFile]:
    """Those of ``others`` that are of the same table; a folder may hold several."""
    return [file for file in others if file.is_readable and file.uuid == pointer.uuid]


def behind(
    table: TableId, pointer: MetadataFile, newer: Sequence[MetadataFile]
) -> Iterator[Finding]:
    """The finding for a pointer with newer metadata files of the same table beside it.

    Args:
        table: whose.
        pointer: the metadata file that the catalog names.
        newer: those with higher numbers, in their order.
    """
    ours = of_the_table(pointer, newer)
    if not ours:
        return
    newest = ours[-1]
    ahead = {i: r for i, r in newest.snapshot_rows.items() if i not in pointer.snapshot_rows}
    commits = ", ".join(_commit(i, rows) for i, rows in ahead.items()) or "no new snapshot"
    builds = any(one_spelling(named) == one_spelling(pointer.location) for named in newest.log)
    why = "it builds on the pointer" if builds else "it does not name the pointer as a state before"
    yield Finding(
        table=str(table),
        problem=Problem.BEHIND,
        path=pointer.location,
        kind=FileKind.METADATA,
        what=f"{counted(len(ours), 'newer metadata file')} beside it, the newest "
        f"{newest.location}: {commits}; {why}",
        snapshots=tuple(ahead),
        hint=(
            f"if the catalog was set back, 'dp repair {table} --forward' takes the newest; a "
            "commit that never ended looks the same and is harmless"
        ),
    )


def _commit(snapshot: int, rows: int | None) -> str:
    return f"snapshot {snapshot}" if rows is None else f"snapshot {snapshot} with {rows} rows"


def shared_locations(locations: Mapping[TableId, str]) -> Iterator[Finding]:
    """One finding per location that several tables say is theirs."""
    homes: defaultdict[str, list[TableId]] = defaultdict(list)
    for table, location in locations.items():
        if location:
            homes[one_spelling(location).rstrip("/")].append(table)
    for location, tables in homes.items():
        if len(tables) > 1:
            names = sorted(map(str, tables))
            yield Finding(
                table=names[0],
                problem=Problem.SHARED,
                path=location,
                kind=None,
                what=f"{some(names)} share it",
                hint="a sweep for one would delete files of the other: 'dp restore --rename' or a "
                "copy made by an engine gives one of them a place of its own",
            )
