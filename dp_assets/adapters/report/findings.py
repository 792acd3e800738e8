"""What `ops.data_quality_results` says now: the newest result of each check on each partition."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import duckdb

from dp_assets.adapters.report import sql
from dp_assets.ports.report import Finding, Refusal, TableChecks


@dataclass(frozen=True, slots=True)
class CheckRow:
    """The newest row of one check on one partition."""

    table: str
    partition: str | None
    check: str
    severity: str
    passed: bool
    failing_rows: int
    total_rows: int
    observed: str
    allowed: str
    issues: str

    @property
    def refuses(self) -> bool:
        """Whether it kept the partition back."""
        return not self.passed and self.severity == "ERROR"


def read_results(connection: duckdb.DuckDBPyConnection) -> tuple[CheckRow, ...]:
    """Ordered by table, partition and check."""
    return tuple(CheckRow(*row) for row in connection.execute(sql.NEWEST_CHECKS).fetchall())


def checks_by_table(rows: Sequence[CheckRow]) -> tuple[TableChecks, ...]:
    """How often each table's checks passed, its findings worst first; ``rows`` come by table."""
    return tuple(
        _table_checks(table, tuple(group)) for table, group in groupby(rows, key=lambda r: r.table)
    )


def refusals(rows: Iterable[CheckRow]) -> tuple[Refusal, ...]:
    """One per refused partition; ``rows`` come by table and partition."""
    refusing = groupby((r for r in rows if r.refuses), key=lambda r: (r.table, r.partition))
    return tuple(
        Refusal(table, partition, tuple(r.check for r in group))
        for (table, partition), group in refusing
    )


def _table_checks(table: str, rows: Sequence[CheckRow]) -> TableChecks:
    failed = sum(r.refuses for r in rows)
    passed = sum(r.passed for r in rows)
    return TableChecks(
        table=table,
        passed=passed,
        warned=len(rows) - passed - failed,
        failed=failed,
        findings=tuple(sorted(_findings(rows), key=_badness)),
    )


def _findings(rows: Sequence[CheckRow]) -> Iterator[Finding]:
    """One per check and severity: a check may warn on one day and refuse another."""
    by_check = sorted((r for r in rows if not r.passed), key=lambda r: (r.check, r.severity))
    for (check, severity), group in groupby(by_check, key=lambda r: (r.check, r.severity)):
        found = list(group)
        worst = max(found, key=lambda r: r.failing_rows)
        yield Finding(
            check=check,
            severity=severity,
            partitions=len(found),
            failing_rows=sum(r.failing_rows for r in found),
            total_rows=sum(r.total_rows for r in found),
            worst=worst.partition,
            observed=worst.observed,
            allowed=worst.allowed,
            issues=worst.issues,
        )


def _badness(finding: Finding) -> tuple[bool, float, str]:
    """Refusing ones first, then by share, then by name."""
    return (finding.severity != "ERROR", -finding.share, finding.check)
