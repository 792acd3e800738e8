"""What could be recovered now, how fast, and what could not: the one answer that all pages show."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dp_assets.domains.backup.proving import Verdict
from dp_assets.ports.recovery import PointManifest, PointRecord, ProofRecord


@dataclass(frozen=True, slots=True)
class PointSeen:
    """A recovery point; its age is that of the state it holds: what would be lost."""

    number: int
    cut_at_ms: int
    age_ms: int
    tables: int
    bytes: int
    complete: bool


@dataclass(frozen=True, slots=True)
class ProofSeen:
    """The newest drill of the newest proven point; ``seconds`` is the measured recovery time."""

    point: int
    at_ms: int
    age_ms: int
    scope: str
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class NotCovered:
    """A table that would not come back, or that nobody has proven to."""

    table: str
    why: str


@dataclass(frozen=True, slots=True)
class ReplicaSeen:
    """The second place; ``problem`` says why it could not be looked at."""

    address: str
    behind: int
    lag_ms: int
    max_lag_ms: int
    problem: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it is close enough behind."""
        return not self.problem and self.lag_ms <= self.max_lag_ms


@dataclass(frozen=True, slots=True)
class DumpSeen:
    """The newest metastore dump; ``restores`` is None when nobody has tried."""

    name: str
    at_ms: int
    age_ms: int
    restores: bool | None


@dataclass(frozen=True, slots=True)
class RecoveryState:
    """One lakehouse, one repository, one moment.

    Attributes:
        newest: the newest complete point; an incomplete one is no recovery.
        proven: the newest point that a drill has proven.
        proof: the drill that did.
        restore_seconds: what a restore of ``newest`` would take: as the last drill measured,
            more when there is more to restore; None before any drill.
        incomplete: newer points that are not whole.
        warnings: what could not be looked at.
    """

    repository: str
    at_ms: int
    points: int
    newest: PointSeen | None
    proven: PointSeen | None
    proof: ProofSeen | None
    restore_seconds: float | None
    rpo_ms: int
    rto_ms: int
    max_unproven_ms: int
    incomplete: tuple[int, ...]
    not_covered: tuple[NotCovered, ...]
    replica: ReplicaSeen | None
    dump: DumpSeen | None
    warnings: tuple[str, ...]

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
        """Some drill succeeded recently enough."""
        return self.proof is not None and self.proof.age_ms <= self.max_unproven_ms

    @property
    def is_good(self) -> bool:
        """All promises are kept."""
        replica = self.replica is None or self.replica.is_good
        return self.rpo_within and self.rto_within and self.proven_within and replica


def seen(record: PointRecord, *, now_ms: int) -> PointSeen:
    """A point as the page shows it."""
    return PointSeen(
        number=record.number,
        cut_at_ms=record.cut_at_ms,
        age_ms=max(0, now_ms - record.cut_at_ms),
        tables=record.tables,
        bytes=record.bytes,
        complete=record.complete,
    )


def newest_proofs(proofs: Iterable[ProofRecord]) -> dict[int, ProofRecord]:
    """Point -> its newest drill: a later failure takes an earlier proof back."""
    found: dict[int, ProofRecord] = {}
    for proof in sorted(proofs, key=lambda one: one.at_ms):
        found[proof.point] = proof
    return found


def estimate_restore(proof: ProofRecord | None, size_bytes: int) -> float | None:
    """Seconds that restoring ``size_bytes`` would take; never less than was measured."""
    if proof is None:
        return None
    growth = size_bytes / proof.bytes if proof.bytes else 1.0
    return proof.seconds * max(1.0, growth)


def not_covered(
    manifest: PointManifest | None, proof: ProofRecord | None, tables: Iterable[str]
) -> tuple[NotCovered, ...]:
    """Every table that would not come back, or was not proven by reading, with the reason.

    Args:
        manifest: of the newest point; None when it cannot be read here.
        proof: the newest drill of any point.
        tables: what the catalog lists now.
    """
    found: dict[str, str] = {}
    if proof:
        found |= dict(_unproven(proof))
    if manifest:
        found |= {line.table: line.problem for line in manifest.tables if line.problem}
        found |= dict(_absent(manifest, tables))
    return tuple(NotCovered(table, found[table]) for table in sorted(found))


def _unproven(proof: ProofRecord) -> Iterator[tuple[str, str]]:
    for table, said in proof.tables.items():
        if said not in (Verdict.PROVEN, Verdict.ONE_ENGINE):
            yield table, f"{said} (drill of point {proof.point})"


def _absent(manifest: PointManifest, tables: Iterable[str]) -> Iterator[tuple[str, str]]:
    there = {line.table for line in manifest.tables}
    for table in tables:
        if table not in there:
            yield table, f"not in point {manifest.number}: excluded, or made since"
