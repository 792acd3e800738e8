"""The outcomes of drills, read back from the repository."""

from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import unchecked
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.repository import Repository
from dp_assets.ports.recovery import ProofRecord


def newest_proof(repository: Repository) -> ProofRecord:
    """The drill that began last.

    Raises:
        PermanentError: there was none.
        DamagedObjectError: what it wrote is damaged.
    """
    found = [
        unchecked(ProofRecord, repository.store.read(info.key), about=info.key)
        for info in repository.store.list(layout.PROOFS)
    ]
    if not found:
        raise PermanentError(
            f"no point of {repository.store.address} was ever drilled", hint="run 'dp drill'"
        )
    return max(found, key=lambda proof: proof.at_ms)


def point_age_ms(repository: Repository, proof: ProofRecord) -> int:
    """How old the point was when its drill began. Raises ConfigurationError when it is no more."""
    return max(0, proof.at_ms - Points(repository).record(proof.point).cut_at_ms)
