"""What the pipeline's report holds: plain facts, the same for HTML, Markdown and JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from dp_assets.ports.report_maintenance import NOTHING_DONE, Maintenance
from dp_assets.ports.report_recovery import NOT_LOOKED_AT, Recovery


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table as its metadata tells it, None where it does not; ``namespace.name``."""

    table: str
    rows: int | None
    files: int | None
    size_bytes: int | None
    snapshots: int | None
    last_commit_ms: int | None

    @property
    def layer(self) -> str:
        """The namespace."""
        return self.table.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class DayRange:
    """The days that one daily table holds; a gap is a day between first and last without rows."""

    table: str
    days: int
    first: date
    last: date
    gaps: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that did not pass, over all partitions where it did not.

    Attributes:
        severity: WARN or ERROR.
        partitions: how many partitions it was found in.
        total_rows: rows of those partitions, so that the share is not diluted by good ones.
        worst: partition with the most failing rows; None for an unpartitioned table.
        observed: what was found there, for people.
        allowed: what the contract allows, for people.
        issues: the first failing rows there, JSON text as the contract wrote it.
    """

    check: str
    severity: str
    partitions: int
    failing_rows: int
    total_rows: int
    worst: str | None
    observed: str
    allowed: str
    issues: str

    @property
    def share(self) -> float:
        """Failing rows over all rows of the partitions it was found in."""
        return self.failing_rows / self.total_rows if self.total_rows else 0.0


@dataclass(frozen=True, slots=True)
class TableChecks:
    """How often the checks of one table passed, newest result per partition and check."""

    table: str
    passed: int
    warned: int
    failed: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A partition that was kept from everything downstream, and the checks that kept it."""

    table: str
    partition: str | None
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Punctuality:
    """Flights of one day, month, route or carrier.

    Attributes:
        name: ``2013-01-02``, ``2013-01``, ``JFK-LAX`` or ``UA``.
        label: the same for people, e.g. ``United Air Lines Inc.``.
        on_time_share: of all scheduled flights; a cancelled or diverted one is never on time.
        median_delay_minutes: of arrivals against schedule; negative is early, None: none arrived.
    """

    name: str
    label: str
    flights: int
    cancelled: int
    on_time_share: float
    median_delay_minutes: float | None


@dataclass(frozen=True, slots=True)
class HourOfWeek:
    """Flights by scheduled local hour of departure; weekday 1 is Monday."""

    weekday: int
    hour: int
    flights: int
    on_time_share: float


@dataclass(frozen=True, slots=True)
class OnTime:
    """The on-time pictures; every part may be empty.

    Attributes:
        trailing_shares: beside each of ``days``: the share over the seven days before it,
            None when none of them is there.
        best_routes: best first, of the routes with enough flights to say something.
        worst_routes: worst first, none of which is among the best.
    """

    flights: int = 0
    cancelled: int = 0
    on_time_share: float | None = None
    days: tuple[Punctuality, ...] = ()
    trailing_shares: tuple[float | None, ...] = ()
    months: tuple[Punctuality, ...] = ()
    hours: tuple[HourOfWeek, ...] = ()
    best_routes: tuple[Punctuality, ...] = ()
    worst_routes: tuple[Punctuality, ...] = ()
    carriers: tuple[Punctuality, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchmarkLine:
    """The newest complete measurement of a query, and the medians before it, oldest first.

    The history holds complete runs of the same machine only, this one included.
    """

    query: str
    verdict: str
    median_seconds: float | None
    min_seconds: float | None
    max_seconds: float | None
    expected_seconds: float
    repeats: int
    rows: int | None
    error: str | None
    history_seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """All queries of the newest complete run; ``interrupted`` runs are counted, never compared."""

    machine: str = ""
    measured_at_ms: int | None = None
    interrupted: int = 0
    lines: tuple[BenchmarkLine, ...] = ()


@dataclass(frozen=True, slots=True)
class ValidationLine:
    """One reconciliation query of the analytics layer; ``expectation`` is in words."""

    name: str
    passed: bool
    expectation: str
    observed: str
    expected: str


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """Everything on the page; times are Unix epoch, UTC, milliseconds."""

    lakehouse: str
    environment: str
    generated_at_ms: int
    run_id: str
    tables: tuple[TableSize, ...] = ()
    day_ranges: tuple[DayRange, ...] = ()
    checks: tuple[TableChecks, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    on_time: OnTime = OnTime()
    benchmarks: Benchmarks = Benchmarks()
    validations: tuple[ValidationLine, ...] = ()
    recovery: Recovery = NOT_LOOKED_AT
    maintenance: Maintenance = NOTHING_DONE

    @property
    def attention(self) -> tuple[str, ...]:
        """A sentence for each thing a person should look at; empty when all is well."""
        return (
            *(
                f"{r.table} {r.partition or '(whole)'} was refused: {', '.join(r.checks)}"
                for r in self.refusals
            ),
            *(
                f"{day} has no rows in {', '.join(tables)}"
                for day, tables in self.gaps_by_day.items()
            ),
            *(
                f"validation {v.name}: found {v.observed}, expected {v.expected}"
                for v in self.validations
                if not v.passed
            ),
            *(
                f"benchmark {b.query}: {b.verdict}"
                for b in self.benchmarks.lines
                if b.verdict != "PASS"
            ),
            *self.maintenance.attention,
            *self.recovery.attention,
        )

    @property
    def gaps_by_day(self) -> Mapping[date, tuple[str, ...]]:
        """Missing day -> the tables that lack it; one late day is one thing to look at."""
        days = sorted({day for r in self.day_ranges for day in r.gaps})
        return {day: tuple(r.table for r in self.day_ranges if day in r.gaps) for day in days}
