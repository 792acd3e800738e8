"""What is known of one table beyond its facts: schema, refs, history, sizes of its files."""

from collections.abc import Mapping
from dataclasses import dataclass

from dp_assets.ports.inventory import Column, TableFacts


@dataclass(frozen=True, slots=True)
class Field:
    """A top-level column of the current schema with the id that survives its renaming."""

    field_id: int
    column: Column


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or a tag."""

    name: str
    kind: str
    snapshot_id: int


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One kept snapshot; what its summary does not say is None or empty.

    Attributes:
        added_rows: rows in files that it added; a rewritten file counts all of its rows.
        removed_rows: rows in files that it removed, and rows it deleted by position.
        rows: in the table then, as read; an upper bound where equality deletes are.
        run: the run of ours that committed it, and ``partition`` what it replaced.
        refs: branches and tags that point at it.
    """

    snapshot_id: int
    parent_id: int | None
    committed_ms: int
    operation: str = ""
    added_rows: int | None = None
    removed_rows: int | None = None
    rows: int | None = None
    run: str = ""
    partition: str = ""
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """A moment from which on a snapshot was the current one."""

    from_ms: int
    snapshot_id: int


@dataclass(frozen=True, slots=True)
class History:
    """The kept snapshots, newest first, and which one was current when, oldest first."""

    snapshots: tuple[SnapshotRow, ...] = ()
    heads: tuple[Head, ...] = ()


@dataclass(frozen=True, slots=True)
class FileSizes:
    """Sizes in bytes of the live files, each file once; ``problem`` when they cannot be listed."""

    data_bytes: tuple[int, ...] = ()
    delete_bytes: tuple[int, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TableDetails:
    """One table at its current pointer.

    Attributes:
        sort_order: e.g. ``flight_date, id desc nulls last``; empty when unsorted.
        summary: of the current snapshot, as it stands there.
    """

    facts: TableFacts
    fields: tuple[Field, ...]
    sort_order: str
    properties: Mapping[str, str]
    refs: tuple[Ref, ...]
    history: History
    summary: Mapping[str, str]
    files: FileSizes
