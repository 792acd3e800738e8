"""What the report says about recovery: plain facts, ages as of the moment it was written."""

from collections.abc import Iterator
from dataclasses import dataclass

from dp_assets.core.units import format_seconds

POINT, DRILL = "point", "drill"


@dataclass(frozen=True, slots=True)
class PointLine:
    """A recovery point; its age is that of the state it holds."""

    number: int
    cut_at_ms: int
    age_ms: int
    tables: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ProofLine:
    """The drill that proved a point; ``seconds`` is the measured recovery time."""

    at_ms: int
    age_ms: int
    scope: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A table that would not come back, or was not proven by reading."""

    table: str
    why: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """A row of `ops.recovery_points`: a point that was made or tried, or a drill of one.

    Attributes:
        point: None when none was made.
        bytes: of all files of the point; of a drill: restored.
        added_bytes: what the repository did not have yet; None of a drill.
        good: of a point: every table is whole; of a drill: every table is proven.
    """

    kind: str
    point: int | None
    started_at_ms: int
    seconds: float
    bytes: int | None
    added_bytes: int | None
    good: bool
    problem: str


@dataclass(frozen=True, slots=True)
class Recovery:
    """What could be recovered, how fast, and what could not.

    Attributes:
        missing: why nothing is known, for people; empty when the repository was looked at.
        newest: the newest complete point.
        proven: the newest point that a drill has proven, and ``proof`` that drill.
        restore_seconds: what a restore of ``newest`` would take, as drills measured.
        incomplete: points newer than ``newest`` that are not whole.
        dump: the newest metastore dump in words, and ``replica`` the second place.
        notes: what could not be looked at.
        history: oldest first.
    """

    missing: str = "not looked at"
    repository: str = ""
    points: int = 0
    newest: PointLine | None = None
    proven: PointLine | None = None
    proof: ProofLine | None = None
    restore_seconds: float | None = None
    rpo_ms: int = 0
    rto_ms: int = 0
    max_unproven_ms: int = 0
    incomplete: tuple[int, ...] = ()
    not_covered: tuple[Uncovered, ...] = ()
    dump: str = ""
    replica: str = ""
    notes: tuple[str, ...] = ()
    history: tuple[Attempt, ...] = ()

    @property
    def rpo_within(self) -> bool:
        """The newest complete point is not older than promised."""
        return self.newest is not None and self.newest.age_ms <= self.rpo_ms

    @property
    def rto_within(self) -> bool:
        """A restore would take no longer than promised, as far as was measured."""
        return self.restore_seconds is not None and self.restore_seconds * 1000 <= self.rto_ms

    @property
    def proven_within(self) -> bool:
        """Some drill has succeeded recently enough."""
        return self.proof is not None and self.proof.age_ms <= self.max_unproven_ms

    @property
    def attention(self) -> tuple[str, ...]:
        """A sentence for each broken promise; nothing where there is no repository.

        A table that was made since the newest point breaks none: the next one has it.
        """
        return () if self.missing else tuple(self._wrong())

    def _wrong(self) -> Iterator[str]:
        if self.newest is None:
            yield "recovery: no complete recovery point yet, 'dp backup' makes one"
            return
        if not self.rpo_within:
            age = _promised(self.newest.age_ms, self.rpo_ms)
            yield f"recovery: the newest point, {self.newest.number}, is {age}"
        if self.incomplete:
            numbers = ", ".join(map(str, self.incomplete))
            yield f"recovery: points after it are not whole: {numbers}"
        if self.proof is None:
            yield "recovery: no drill has proven a point yet, 'dp drill' holds one"
        elif not self.proven_within:
            age = _promised(self.proof.age_ms, self.max_unproven_ms)
            yield f"recovery: the last proof is {age}"
        if self.restore_seconds is not None and not self.rto_within:
            takes, limit = format_seconds(self.restore_seconds), format_seconds(self.rto_ms / 1000)
            yield f"recovery: a restore takes {takes}, {limit} are promised"


def _promised(age_ms: int, limit_ms: int) -> str:
    return f"{format_seconds(age_ms / 1000)} old, {format_seconds(limit_ms / 1000)} are promised"


NOT_LOOKED_AT = Recovery()
