"""What the report says about maintenance: what was done, what it cost, what it gave back."""

from collections.abc import Mapping
from dataclasses import dataclass

from dp_assets.ports.maintenance import Outcome


@dataclass(frozen=True, slots=True)
class Worked:
    """A row of `ops.journal`: one operation on one table that had something to do.

    Attributes:
        before, after: figures by name; empty where they were not measured.
        problem: what failed or was refused.
    """

    table: str
    operation: str
    outcome: str
    started_at_ms: int
    seconds: float
    before: Mapping[str, int]
    after: Mapping[str, int]
    problem: str

    def fell(self, figure: str) -> int:
        """By how much a figure is less than it was; 0 where it was not measured."""
        return self.before.get(figure, 0) - self.after.get(figure, 0) if self.after else 0


@dataclass(frozen=True, slots=True)
class QueryChange:
    """A query of the benchmark, in medians, before and after the newest round."""

    query: str
    before_seconds: float
    after_seconds: float


@dataclass(frozen=True, slots=True)
class TableChange:
    """A figure of one table before the first and after the last operation of a round."""

    table: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class InNeed:
    """A table over a limit when it was last measured."""

    table: str
    burden_bytes: int
    cause: str


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The newest operations, and what the newest round of them was worth.

    Attributes:
        history: oldest first.
        round: the newest of them, none more than a day before the newest.
        queries: measured before and after the round; empty when one of the two is missing.
        in_need: the worst first.
    """

    history: tuple[Worked, ...] = ()
    round: tuple[Worked, ...] = ()
    queries: tuple[QueryChange, ...] = ()
    in_need: tuple[InNeed, ...] = ()

    @property
    def seconds(self) -> float:
        """That the round took."""
        return sum(one.seconds for one in self.round)

    @property
    def saved_bytes(self) -> int:
        """Of the heads' data files."""
        return sum(one.fell("bytes") for one in self.round)

    @property
    def saved_files(self) -> int:
        """Of the heads' data files."""
        return sum(one.fell("files") for one in self.round)

    @property
    def saved_seconds(self) -> float | None:
        """Each time the queries are run; None when they were not measured."""
        if not self.queries:
            return None
        return sum(q.before_seconds - q.after_seconds for q in self.queries)

    @property
    def files(self) -> tuple[TableChange, ...]:
        """Data files of every table of the round whose number changed, the most files first."""
        first: dict[str, int] = {}
        last: dict[str, int] = {}
        for one in self.round:
            if "files" in one.before and "files" in one.after:
                first.setdefault(one.table, one.before["files"])
                last[one.table] = one.after["files"]
        changed = [TableChange(t, first[t], last[t]) for t in first if first[t] != last[t]]
        return tuple(sorted(changed, key=lambda change: (-change.before, change.table)))

    @property
    def attention(self) -> tuple[str, ...]:
        """A sentence for each table and operation whose newest attempt did not end well."""
        newest = {(one.table, one.operation): one for one in self.history}
        bad = (Outcome.FAILED, Outcome.UNKNOWN)
        return tuple(
            f"maintenance: {one.operation} of {one.table} ended as {one.outcome}: {one.problem}"
            for one in newest.values()
            if one.outcome in bad
        )


NOTHING_DONE = Maintenance()
