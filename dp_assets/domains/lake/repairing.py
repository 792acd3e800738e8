"""What can be done about a damaged table, and what each way costs in rows."""

from dataclasses import dataclass

from dp_assets.core.ids import TableId
from dp_assets.domains.lake.fsck import Finding
from dp_assets.ports.recovery import StoredFile


@dataclass(frozen=True, slots=True)
class RowCount:
    """Rows; None where nobody knows, and at most so many where not ``exact``."""

    count: int | None
    exact: bool = True

    def __str__(self) -> str:
        if self.count is None:
            return "unknown"
        return f"{self.count:,}" if self.exact else f"at most {self.count:,}"


@dataclass(frozen=True, slots=True)
class RollBackWay:
    """Make the last whole snapshot the current one.

    Attributes:
        refused: why that is impossible; "" when it is not.
        target: the snapshot, and ``rows`` in it.
        given_up: the commits after it.
    """

    refused: str = ""
    target: int | None = None
    at_ms: int | None = None
    rows: RowCount = RowCount(None)
    given_up: int = 0


@dataclass(frozen=True, slots=True)
class ForgetWay:
    """A new snapshot without the lost files.

    Attributes:
        refused: why that is impossible; "" when it is not.
        paths: what it leaves out, as the table spells it.
        lost: rows that go; ``rows`` stay.
    """

    refused: str = ""
    paths: tuple[str, ...] = ()
    lost: RowCount = RowCount(0)
    rows: RowCount = RowCount(None)


@dataclass(frozen=True, slots=True)
class TableRepair:
    """The plan for one table.

    Attributes:
        pointer, head: what it was made for.
        findings: everything that is wrong now.
        missing: files to put back; in the place of ``different`` ones is something else.
        left: damage that no recovery point can undo.
        head_rows: of the current snapshot, when everything that can come back is back.
        roll_back, forget: the two ways for what is left and breaks the current snapshot; None
            when nothing does.
    """

    table: TableId
    pointer: str
    head: int | None
    findings: tuple[Finding, ...]
    missing: tuple[StoredFile, ...] = ()
    different: tuple[StoredFile, ...] = ()
    left: tuple[Finding, ...] = ()
    head_rows: RowCount = RowCount(None)
    roll_back: RollBackWay | None = None
    forget: ForgetWay | None = None

    @property
    def bytes(self) -> int:
        """To be written."""
        return sum(stored.ref.size for stored in (*self.missing, *self.different))

    @property
    def puts_back(self) -> int:
        """How many files."""
        return len(self.missing) + len(self.different)

    @property
    def needs_choice(self) -> bool:
        """Whether the current snapshot stays broken when everything is put back."""
        return self.roll_back is not None


def delete_refusal(path: str, data: str) -> str:
    """Why a lost delete file cannot be forgotten."""
    return (
        f"{path} says which rows of {data} are deleted: to forget it would bring them back; "
        "only a roll back does not"
    )


def equality_refusal(path: str, deletes: str) -> str:
    """Why the loss cannot be said."""
    return (
        f"equality deletes of {deletes} may have deleted rows of {path}: how many rows are lost "
        "cannot be told from what is left"
    )
