"""A range of days through one table: leave out what was refused, replace, read back, judge."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from dp_assets.core.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pyarrow as pa

    from dp_assets.core.ids import TableId
    from dp_assets.domains.quality.contract import Contract
    from dp_assets.domains.quality.verdict import Verdict
    from dp_assets.ports.pipeline import PipelineEngine
    from dp_assets.ports.tables import RunMark, TableSpec, TableWriter, Written

READS = 3  # tries to read a table while nobody commits to it


@dataclass(frozen=True, slots=True)
class DaysResult:
    """What happened to each asked day: written and judged, or left out with the reason."""

    written: Mapping[str, Written]
    verdicts: Mapping[str, Verdict]
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DailyTable:
    """A daily table of the pipeline and the daily tables whose verdicts decide its days.

    ``reads`` are all tables its transform looks at; empty for a table that arrives from outside.
    """

    spec: TableSpec
    gates: tuple[TableSpec, ...] = ()
    reads: tuple[TableId, ...] = ()


@dataclass
class Pipeline:
    """The use cases of the pipeline over one engine, one writer and one set of contracts.

    Verdicts are kept per version of a table: it never changes, so judging it again would only cost
    time.
    """

    engine: PipelineEngine
    writer: TableWriter
    contract_for: Callable[[TableId], Contract | None]
    spec_for: Callable[[TableId], TableSpec]
    now_ms: Callable[[], int]
    _judged: dict[tuple[TableId, str], dict[str | None, Verdict]] = field(
        default_factory=dict["tuple[TableId, str]", "dict[str | None, Verdict]"]
    )

    def build(self, table: DailyTable, days: Sequence[str], *, run: RunMark) -> DaysResult:
        """Make ``days`` of ``table`` what its source or its transform says, and judge them.

        Days that a contract of ``table.gates`` refuses keep what they held and are left out.
        """
        spec = table.spec
        self.writer.ensure(spec)
        left_out = self.refused(table.gates, days)
        wanted = [date.fromisoformat(d) for d in days if d not in left_out]
        rows = self._rows(table, wanted)
        with self.writer.hold(spec.table):
            written = {
                day.isoformat(): self.writer.replace(
                    spec, rows[day], partition=day.isoformat(), run=run
                )
                for day in wanted
            }
        return DaysResult(written, self.verdicts(spec, list(written)), left_out)

    def build_whole(self, spec: TableSpec, *, reads: Sequence[TableId], run: RunMark) -> Written:
        """Make an unpartitioned table what its source (no ``reads``) or its transform says."""
        rows = (
            self.engine.derived_whole(spec, inputs=reads)
            if reads
            else self.engine.arriving_whole(spec)
        )
        return self.replace_whole(spec, rows, run=run)

    def replace_whole(self, spec: TableSpec, rows: pa.Table, *, run: RunMark) -> Written:
        """Make ``rows`` the whole content of an unpartitioned table."""
        self.writer.ensure(spec)
        return self.writer.replace(spec, rows, partition=None, run=run)

    def refused(self, gates: Iterable[TableSpec], days: Sequence[str]) -> dict[str, str]:
        """Day -> why it must not be used, measured now on what the gates' tables hold."""
        reasons: dict[str, str] = {}
        for gate in gates:
            for day, verdict in self.verdicts(gate, days).items():
                broken = ", ".join(o.check for o in verdict.outcomes if o.refuses)
                if broken:
                    reasons.setdefault(day, f"{gate.table} broke {broken}")
        return reasons

    def verdicts(self, spec: TableSpec, days: Sequence[str]) -> dict[str, Verdict]:
        """The contract's verdict on each day, read back from the table as it is now.

        Columns that somebody renamed or dropped are a finding, not an error.
        """
        if not self.writer.exists(spec.table):
            self.writer.ensure(spec)
        version = self.writer.version(spec.table)
        known = self._judged.get((spec.table, version), {})
        unknown = [d for d in days if d not in known]
        if unknown:
            asked = [date.fromisoformat(d) for d in unknown]
            rows, version, head = self._stored(spec, asked)
            known = self._judged.setdefault((spec.table, version), {})
            for verdict in self._judge(spec, rows, partitions=unknown, head=head):
                known[verdict.partition] = verdict
        if not known.keys() >= set(days):  # somebody committed meanwhile: judge the rest anew
            return self.verdicts(spec, days)
        return {d: known[d] for d in days}

    def verdict(self, spec: TableSpec) -> Verdict:
        """The contract's verdict on a whole unpartitioned table as it is now."""
        known = self._judged.get((spec.table, self.writer.version(spec.table)), {})
        if None not in known:
            rows, version, head = self._stored(spec, None)
            known = self._judged.setdefault((spec.table, version), {})
            [known[None]] = self._judge(spec, rows, partitions=None, head=head)
        return known[None]

    def _stored(
        self, spec: TableSpec, days: Sequence[date] | None
    ) -> tuple[pa.Table, str, int | None]:
        """Rows with the table's current columns, and the version and snapshot they are from.

        A snapshot would be read with the columns it was written with, which hides a renamed one.
        """
        for _ in range(READS):
            version, head = self.writer.version(spec.table), self.writer.head(spec.table)
            rows = self.engine.stored(spec, days)
            if self.writer.version(spec.table) == version:
                return rows, version, head
        raise TransientError(
            f"{spec.table} changed {READS} times while it was read", hint="run it again"
        )

    def _judge(
        self,
        spec: TableSpec,
        rows: pa.Table,
        *,
        partitions: Sequence[str] | None,
        head: int | None,
    ) -> Sequence[Verdict]:
        from dp_assets.domains.quality.judge import judge

        contract = self.contract_for(spec.table)
        if contract is None:
            raise PermanentError(
                f"{spec.table} has no contract", hint="declare one in domains/quality/contracts"
            )
        return judge(
            contract,
            rows,
            partitions=partitions,
            snapshot_id=head,
            now_ms=self.now_ms(),
            references=self._references(contract),
        )

    def _references(self, contract: Contract) -> dict[TableId, pa.Table]:
        targets = {reference.table for reference in contract.references.values()}
        specs = [self.spec_for(t) for t in sorted(targets)]
        return {s.table: self.engine.stored(s, None) for s in specs}

    def _rows(self, table: DailyTable, days: Sequence[date]) -> Mapping[date, pa.Table]:
        if not days:
            return {}
        if not table.reads:
            return self.engine.arriving(table.spec, days)
        return self.engine.derived(table.spec, inputs=table.reads, days=days)
