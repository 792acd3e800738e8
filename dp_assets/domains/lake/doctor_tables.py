"""Findings about tables, and the way back for a pointer whose metadata file is no use.

Metadata files are numbered by commit, and a committed one is named in the log of those after it.
A writer that lost its race leaves a file with the number of the winner's, so where two files
carry one number and no log names one of them, nobody can tell which was committed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dp_assets.core.ids import TableId
from dp_assets.domains.lake.doctor import Area, Finding, Severity, counted, some
from dp_assets.ports.doctor import LostSnapshot, MetadataFile, TableReading

NUMBER = re.compile(r"v?(\d+)(?:-[^/]*)?(?:\.gz)?\.metadata\.json(?:\.gz)?$")
NO_WAY_HINT = (
    "put the file back from a backup, or point the catalog by hand at an older metadata file that "
    "reads well; 'dp register' shows under another name what one holds"
)


@dataclass(frozen=True, slots=True)
class WayBack:
    """Where an unusable pointer can go; ``target`` None when nowhere, and ``reason`` why."""

    target: MetadataFile | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """One pointer to move back, and what of the table is lost by it."""

    table: TableId
    broken: MetadataFile
    target: MetadataFile
    lost: tuple[LostSnapshot, ...] = ()

    @property
    def commits(self) -> int:
        """How many commits lie between, by the files' numbers; at least one."""
        newest, kept = number(self.broken.location), number(self.target.location)
        return 1 if newest is None or kept is None else max(newest - kept, 1)


def number(location: str) -> int | None:
    """The number in a metadata file's name, ``00007-<uuid>`` or ``v7``; None for other names."""
    found = NUMBER.fullmatch(location.rpartition("/")[2])
    return int(found[1]) if found else None


def way_back(
    broken: str, *, previous: MetadataFile | None, others: Sequence[MetadataFile], uuid: str = ""
) -> WayBack:
    """The newest state before ``broken`` that is certainly the table's.

    Args:
        broken: the pointer.
        previous: the one before, as the catalog recorded it.
        others: the metadata files in the pointer's folder.
        uuid: of the table, where it is known from elsewhere; a folder may hold several tables.
    """
    if previous and previous.is_usable:
        return WayBack(previous)
    if previous and not previous.is_reachable:
        return WayBack(None, f"the state before cannot be looked at: {previous.problem}")
    files = [f for f in others if f.location != broken]
    uuids = {f.uuid for f in files if f.is_readable}
    if uuid:
        files = [f for f in files if not f.is_readable or f.uuid == uuid]
    elif len(uuids) > 1:
        return WayBack(None, f"{len(uuids)} tables have metadata files in its folder")
    limit = number(broken)
    skipped = number(previous.location) if previous else None
    return _newest_committed(files, below=limit or 0, skipped=skipped)


def _newest_committed(files: Sequence[MetadataFile], *, below: int, skipped: int | None) -> WayBack:
    logged = {location for file in files for location in file.log}
    numbered: dict[int, list[MetadataFile]] = defaultdict(list)
    for file in files:
        at = number(file.location)
        if at is not None and at < below and at != skipped:
            numbered[at].append(file)
    for at in sorted(numbered, reverse=True):
        named = [f for f in numbered[at] if f.location in logged]
        certain = named or numbered[at]
        if out_of_reach := [f for f in certain if not f.is_reachable]:
            return WayBack(None, f"the state before cannot be looked at: {out_of_reach[0].problem}")
        if len(certain) == 1 and certain[0].is_usable:
            return WayBack(certain[0])
        if len(certain) > 1 and any(f.is_usable for f in certain):
            several = some([f.location for f in certain])
            return WayBack(None, f"nothing says which of these was committed: {several}")
    return WayBack(None, "no older metadata file of it reads well")


def check_tables(
    readings: Sequence[TableReading], repairs: Sequence[Repair], stuck: dict[TableId, str]
) -> Iterator[Finding]:
    """Every table's pointer, manifest list, location and owner.

    Args:
        readings: all tables.
        repairs: for the broken ones that have a way back.
        stuck: why the others have none.
    """
    by_table = {repair.table: repair for repair in repairs}
    problems = [
        finding
        for reading in readings
        for finding in _check_table(reading, by_table.get(reading.table), stuck)
    ]
    wrong = {finding.subject for finding in problems}
    well = sum(_subject(r.table) not in wrong for r in readings)
    if well or not readings:
        yield Finding(
            Severity.OK,
            Area.TABLES,
            "pointers",
            f"{counted(well, 'table')} with a pointer that reads well",
        )
    yield from problems
    yield from _shared_locations(readings)
    yield from _foreign(readings)


def _check_table(
    reading: TableReading, repair: Repair | None, stuck: dict[TableId, str]
) -> Iterator[Finding]:
    pointer, subject = reading.pointer, _subject(reading.table)
    if not pointer.is_reachable:
        hint = "check access and network; nothing says that the file is damaged"
        yield Finding(Severity.ERROR, Area.TABLES, subject, pointer.problem, hint)
    elif repair:
        yield Finding(Severity.ERROR, Area.TABLES, subject, pointer.problem, way_back_text(repair))
    elif not pointer.is_readable:
        why = stuck.get(reading.table, "")
        what = f"{pointer.problem}; not repaired: {why}" if why else pointer.problem
        yield Finding(Severity.ERROR, Area.TABLES, subject, what, NO_WAY_HINT)
    elif pointer.list_problem:
        hint = "put the file back from a backup, or roll the table back to an older snapshot"
        yield Finding(Severity.ERROR, Area.TABLES, subject, pointer.list_problem, hint)
    elif reading.newer:
        names = some([location.rpartition("/")[2] for location in reading.newer])
        what = f"{counted(len(reading.newer), 'metadata file')} newer than its pointer: {names}"
        hint = "commits that never ended or were given up; if the catalog was set back, "
        yield Finding(Severity.WARN, Area.TABLES, subject, what, hint + "compare before you write")


def way_back_text(repair: Repair) -> str:
    """What to do about a broken pointer, with what it costs."""
    return (
        f"'dp doctor --repair' moves the pointer back to {repair.target.location}; "
        f"lost: {lost_text(repair)}"
    )


def lost_text(repair: Repair) -> str:
    """The commits that a repair gives up, as far as they are known."""
    commits = "the last commit" if repair.commits == 1 else f"the last {repair.commits} commits"
    snapshots = ", ".join(map(_lost_snapshot, repair.lost))
    which = "one of " if len(repair.lost) > repair.commits else ""
    return f"{commits} ({which}{snapshots or 'no snapshot of it was found'}); no file is deleted"


def _lost_snapshot(lost: LostSnapshot) -> str:
    if lost.added_rows is None or lost.deleted_rows is None:
        return f"snapshot {lost.snapshot_id}"
    rows = f"{counted(lost.added_rows, 'row')} written, {lost.deleted_rows} removed"
    return f"snapshot {lost.snapshot_id}: {rows}"


def _shared_locations(readings: Iterable[TableReading]) -> Iterator[Finding]:
    homes: dict[str, list[str]] = defaultdict(list)
    for reading in readings:
        if location := _canonical(reading.pointer.table_location):
            homes[location].append(str(reading.table))
    for location, names in homes.items():
        if len(names) > 1:
            what = f"{some(sorted(names))} share one location, {location}"
            hint = "a sweep for one would delete files of the other: copy one of them elsewhere"
            yield Finding(Severity.WARN, Area.TABLES, "locations", what, hint)


def _canonical(location: str) -> str:
    """One spelling of the schemes that name the same store."""
    plain = re.sub(r"^file:/+", "/", location).rstrip("/")
    return re.sub(r"^s3[an]://", "s3://", plain)


def _foreign(readings: Iterable[TableReading]) -> Iterator[Finding]:
    names = sorted(
        str(r.table) for r in readings if r.pointer.is_readable and not r.pointer.is_adopted
    )
    if names:
        what = f"{len(names)} foreign, read and never changed: {some(names)}"
        hint = "nothing to do; 'dp adopt NAME' makes one ours to change"
        yield Finding(Severity.OK, Area.TABLES, "foreign tables", what, hint)


def _subject(table: TableId) -> str:
    return f"table {table}"
