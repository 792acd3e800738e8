"""What a contract found: one outcome per check, one verdict per table and partition."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dp_assets.core.ids import TableId

Scalar = str | int | float | bool | None


class Severity(StrEnum):
    """WARN is shown and lets the data through; ERROR keeps it from everything downstream."""

    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """One check of a contract on one partition, measured.

    Attributes:
        check: name within the contract, e.g. ``tailnum_known``.
        severity: of this outcome when it did not pass: WARN up to the tolerance, ERROR above.
        failing_rows: rows that break the rule; 0 when ``passed``, and for an empty partition.
        total_rows: rows looked at.
        observed: what was found, for people, e.g. ``14 rows (1.66 %) of 842``.
        allowed: what the contract allows, for people, e.g. ``30.00 %`` or ``none``.
        issues: up to ten of the failing rows, key columns first, values as JSON scalars.
    """

    check: str
    passed: bool
    severity: Severity
    failing_rows: int
    total_rows: int
    observed: str
    allowed: str
    issues: tuple[Mapping[str, Scalar], ...] = ()

    @property
    def refuses(self) -> bool:
        """Whether this outcome keeps the partition from everything downstream."""
        return not self.passed and self.severity is Severity.ERROR


@dataclass(frozen=True, slots=True)
class Verdict:
    """All outcomes of one contract on one partition of one table, tied to a snapshot.

    ``partition`` is None for an unpartitioned table; ``snapshot_id`` is what was read.
    """

    table: TableId
    partition: str | None
    snapshot_id: int | None
    outcomes: tuple[CheckOutcome, ...]

    @property
    def refused(self) -> bool:
        """Whether any check failed above its tolerance."""
        return any(o.refuses for o in self.outcomes)

    @property
    def warned(self) -> bool:
        """Whether any check failed within its tolerance."""
        return any(not o.passed and not o.refuses for o in self.outcomes)
