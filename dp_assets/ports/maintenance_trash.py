"""The trash: files that a table no longer needs, recorded, and kept until their window closes."""

from dataclasses import dataclass
from enum import StrEnum

from dp_assets.ports.maintenance import Operation


class TrashState(StrEnum):
    """How far a record is.

    ``UNFINISHED``: written before the commit that frees its files; whether that landed, the table
    tells. ``RESTORED``: a side table shows the files; orphans just stay, and are no orphans any
    more. ``EMPTYING``: some may be deleted already.
    """

    UNFINISHED = "unfinished"
    WAITING = "waiting"
    RESTORED = "restored"
    EMPTYING = "emptying"


@dataclass(frozen=True, slots=True)
class TrashedFile:
    """A file as the table spells it.

    Attributes:
        size: bytes, None where metadata do not say it.
        version: of its content when it was recorded; a file that has another one stays. "" where
            no file may ever be written anew under that path.
    """

    path: str
    kind: str
    size: int | None
    version: str = ""


@dataclass(frozen=True, slots=True)
class TrashRecord:
    """Files that one operation took out of use; they stay where they are until ``until_ms``.

    Attributes:
        id: unique in the lakehouse.
        lakehouse_id: only that lakehouse may delete them.
        table, uuid: whose files they were.
        pointer: the table's metadata file before the operation.
        updated_ms: ``last-updated-ms`` in that file; a catalog that shows the table as it was
            then, or earlier, answers with what is past.
        snapshots: that the operation took out of the table; none for orphans.
        side_table, side_pointer: what shows them; "" until the record is restored.
    """

    id: str
    lakehouse_id: str
    table: str
    uuid: str
    operation: Operation
    state: TrashState
    at_ms: int
    until_ms: int
    files: tuple[TrashedFile, ...]
    pointer: str = ""
    updated_ms: int = 0
    snapshots: tuple[int, ...] = ()
    side_table: str = ""
    side_pointer: str = ""

    @property
    def bytes(self) -> int:
        """Of the files whose size is known."""
        return sum(file.size or 0 for file in self.files)
