"""Handing a restored copy over to the process that proves it, and taking its verdicts back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from dp_assets.adapters.recovery.proof_process import answers
from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup.documents import to_json
from dp_assets.domains.backup.proving import TableProof, unproven
from dp_assets.domains.backup.source_comparing import CopyRead
from dp_assets.ports.recovery import FileKind, TableContent
from dp_assets.usecases.backup.proof_child import DOING, FOUND, OF, READS, TABLE, ProofJob
from dp_assets.usecases.backup.table_proving import TableJob

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.backup.restore_plan import TablePlan

PROOF = "proof"
CHILD = "dp_assets.usecases.backup.proof_child"
# A snapshot of a large table takes minutes to read; an hour without a word is a hang.
SILENCE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Proved:
    """A verdict, and what was read of the copy to compare with the source."""

    proof: TableProof
    reads: tuple[CopyRead, ...] = ()


_PROOF, _READS = TypeAdapter(TableProof), TypeAdapter(tuple[CopyRead, ...])


def write_jobs(
    repository: Repository, scratch: Path, plans: Sequence[TablePlan]
) -> tuple[TableJob, ...]:
    """What the point recorded of each table, as files: the proof cannot open the repository."""
    folder = scratch / PROOF
    folder.mkdir()
    return tuple(_job(repository, folder / str(n), plan) for n, plan in enumerate(plans))


def _job(repository: Repository, stem: Path, plan: TablePlan) -> TableJob:
    content, metadata = stem.with_suffix(".content"), stem.with_suffix(".metadata")
    content.write_bytes(repository.read(plan.content))
    recorded = repository.read_document(TableContent, plan.content)
    stored = next(f for f in recorded.files if f.file.kind is FileKind.METADATA)
    metadata.write_bytes(repository.read(stored.ref))
    return TableJob(
        table=str(plan.source),
        pointer=plan.pointer,
        location=plan.location,
        uuid=plan.uuid,
        content=str(content),
        metadata=str(metadata),
    )


def prove_apart(
    scratch: Path,
    job: ProofJob,
    *,
    doing: Callable[[str], None],
    silence_seconds: float = SILENCE_SECONDS,
) -> list[Proved]:
    """Prove in a process of its own: one verdict per table, also when that process is killed."""
    path = scratch / PROOF / "job.json"
    path.write_bytes(to_json(job))
    proofs: list[Proved] = []
    found: dict[str, list[str]] = {}
    why, last = "the proof said nothing about it", "starting"
    try:
        for line in answers(
            ["-m", CHILD, str(path)],
            log=scratch / PROOF / "proof.log",
            silence_seconds=silence_seconds,
        ):
            if DOING in line:
                last = line[DOING]
                doing(last)
            elif FOUND in line:
                found[line[OF]] = line[FOUND]
            elif TABLE in line:
                proof = _PROOF.validate_python(line[TABLE])
                proofs.append(Proved(proof, _READS.validate_python(line[READS])))
    except PermanentError as error:
        why = f"{error.what}, while {last}"
    done = {proved.proof.table for proved in proofs}
    left = [table.table for table in job.tables if table.table not in done]
    return [*proofs, *(Proved(unproven(table, why, found.get(table, ()))) for table in left)]
