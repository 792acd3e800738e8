"""Looking at everything that says what could be recovered now; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.object_stores import open_store
from dp_assets.core.errors import LakeError
from dp_assets.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import unchecked
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.recovery_state import (
    DumpSeen,
    ProofSeen,
    RecoveryState,
    ReplicaSeen,
    estimate_restore,
    newest_proofs,
    not_covered,
    seen,
)
from dp_assets.lakehouse import opened
from dp_assets.ports.recovery import ProofRecord
from dp_assets.usecases.backup.replicating import replica_state
from dp_assets.usecases.dumping import list_dumps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.recovery import PointManifest, PointRecord
    from dp_assets.settings import Settings


def recovery_state(settings: Settings, repository: Repository, *, now_ms: int) -> RecoveryState:
    """The state of recovery; what cannot be looked at is a warning.

    The lakehouse itself may be gone: then nothing is said about tables outside of the point.

    Raises TransientError when the repository does not answer.
    """
    looking = _Looking(settings, repository, now_ms, [])
    records = looking.records()
    proofs = newest_proofs(looking.proofs())
    complete = [record for record in records if record.complete]
    newest = complete[-1] if complete else None
    proven = [r for r in records if r.number in proofs and proofs[r.number].proven]
    proof = proofs[proven[-1].number] if proven else None
    last_drill = max(proofs.values(), key=lambda one: one.at_ms, default=None)
    manifest = looking.manifest(records[-1]) if records else None
    return RecoveryState(
        repository=repository.store.address,
        at_ms=now_ms,
        points=len(records),
        newest=seen(newest, now_ms=now_ms) if newest else None,
        proven=seen(proven[-1], now_ms=now_ms) if proven else None,
        proof=_proof(proof, now_ms) if proof else None,
        restore_seconds=estimate_restore(proof, newest.bytes) if newest else None,
        rpo_ms=settings.recovery.rpo_minutes * MINUTE_MS,
        rto_ms=settings.recovery.rto_minutes * MINUTE_MS,
        max_unproven_ms=settings.recovery.max_unproven_days * DAY_MS,
        incomplete=tuple(
            r.number
            for r in records
            if not r.complete and r.number > (newest.number if newest else 0)
        ),
        not_covered=not_covered(manifest, last_drill, looking.tables()),
        replica=looking.replica(),
        dump=looking.dump(),
        warnings=tuple(looking.warnings),
    )


@dataclass(frozen=True, slots=True)
class _Looking:
    settings: Settings
    repository: Repository
    now_ms: int
    warnings: list[str]

    def records(self) -> list[PointRecord]:
        """Every point that can be read, oldest first."""
        points = Points(self.repository)
        found: list[PointRecord] = []
        for number in points.numbers():
            try:
                if record := points.find(number):
                    found.append(record)
            except LakeError as error:
                self.warnings.append(error.what)
        return found

    def proofs(self) -> Iterable[ProofRecord]:
        """What drills have found; a damaged record proves nothing."""
        for info in self.repository.store.list(layout.PROOFS):
            try:
                content = self.repository.store.read(info.key)
                yield unchecked(ProofRecord, content, about=info.key)
            except LakeError as error:
                self.warnings.append(error.what)

    def manifest(self, record: PointRecord) -> PointManifest | None:
        """What the point holds, where there is a key."""
        if not self.repository.sealing.can_open:
            self.warnings.append("without a private key it cannot be told which tables are covered")
            return None
        try:
            return Points(self.repository).manifest(record)
        except LakeError as error:
            self.warnings.append(error.what)
            return None

    def tables(self) -> list[str]:
        """What the catalog lists; nothing when there is none any more."""
        try:
            with opened(self.settings, doing="dp recovery") as lake:
                return [str(table) for table in lake.tables()]
        except LakeError as error:
            self.warnings.append(f"tables outside of the point are not known: {error.what}")
            return []

    def replica(self) -> ReplicaSeen | None:
        """The second place, when one is configured."""
        place = self.settings.replica
        if not place.url:
            return None
        max_lag_ms = place.max_lag_hours * HOUR_MS
        try:
            target = open_store(
                place.url,
                properties=place.plain_properties() or self.settings.catalog.plain_properties(),
                tmp_dir=self.settings.tmp_dir,
            )
            found = replica_state(self.repository, target, now_ms=self.now_ms)
        except LakeError as error:
            return ReplicaSeen(place.url.redacted, 0, 0, max_lag_ms, problem=error.what)
        return ReplicaSeen(place.url.redacted, len(found.behind), found.lag_ms, max_lag_ms)

    def dump(self) -> DumpSeen | None:
        """The newest finished metastore dump."""
        dumps = [one for one in list_dumps(self.settings) if one.record]
        if not dumps:
            return None
        newest = dumps[-1]
        return DumpSeen(
            name=newest.folder.name,
            at_ms=newest.taken_at_ms,
            age_ms=max(0, self.now_ms - newest.taken_at_ms),
            restores=newest.check.good if newest.check else None,
        )


def _proof(proof: ProofRecord, now_ms: int) -> ProofSeen:
    return ProofSeen(
        point=proof.point,
        at_ms=proof.at_ms,
        age_ms=max(0, now_ms - proof.at_ms),
        scope=proof.scope,
        seconds=proof.seconds,
        bytes=proof.bytes,
    )
