"""Restored tables that are as recorded, compared with the tables the point was made of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from dp_assets.adapters.recovery.proof_process import answers
from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup.differences import some
from dp_assets.domains.backup.documents import to_json
from dp_assets.domains.backup.source_comparing import SourceRead, against_source
from dp_assets.usecases.backup.proof_child import DOING, OF
from dp_assets.usecases.backup.proof_jobs import PROOF, SILENCE_SECONDS
from dp_assets.usecases.backup.source_child import SOURCE, SourceJobs
from dp_assets.usecases.backup.source_reading import SourceJob

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dp_assets.domains.backup.proving import TableProof
    from dp_assets.usecases.backup.proof_jobs import Proved
    from dp_assets.usecases.backup.table_proving import TableJob

CHILD = "dp_assets.usecases.backup.source_child"
_READS = TypeAdapter(tuple[SourceRead, ...])


def compare_with_sources(
    scratch: Path,
    jobs: Sequence[TableJob],
    proved: Sequence[Proved],
    *,
    properties: Mapping[str, str],
    doing: Callable[[str], None],
) -> tuple[list[TableProof], tuple[str, ...]]:
    """The proofs with what the sources say, and warnings; what cannot be read decides nothing.

    Args:
        scratch: the folder of the drill.
        jobs: what the point recorded of each table, as files.
        proved: what was read of each copy.
        properties: the catalog's, with secrets; they are written nowhere.
        doing: told of the progress.
    """
    job_of = {job.table: job for job in jobs}
    wanted = tuple(
        _job(job_of[one.proof.table], one)
        for one in proved
        if one.reads and one.proof.verdict.is_as_recorded
    )
    found, why = _read(scratch, wanted, properties, doing) if wanted else ({}, "")
    asked = {job.table: job for job in wanted}
    proofs: list[TableProof] = []
    problems: list[str] = []
    for one in proved:
        proof = one.proof
        if job := asked.get(proof.table):
            unread = tuple(SourceRead(snapshot, problem=why) for snapshot, _ in job.snapshots)
            proof, said = against_source(proof, one.reads, found.get(proof.table, unread))
            problems += [f"{proof.table}: the source cannot be read: {said}"] if said else []
        proofs.append(proof)
    return proofs, tuple(some(problems))


def _job(job: TableJob, proved: Proved) -> SourceJob:
    snapshots = tuple((read.snapshot_id, read.reading.engine) for read in proved.reads)
    return SourceJob(job.table, job.content, job.metadata, snapshots)


def _read(
    scratch: Path,
    tables: tuple[SourceJob, ...],
    properties: Mapping[str, str],
    doing: Callable[[str], None],
) -> tuple[dict[str, tuple[SourceRead, ...]], str]:
    """By table what was read, and why there is nothing of the others."""
    path = scratch / PROOF / "source.json"
    path.write_bytes(to_json(SourceJobs(str(scratch), tables)))
    found: dict[str, tuple[SourceRead, ...]] = {}
    try:
        for line in answers(
            ["-m", CHILD, str(path)],
            log=scratch / PROOF / "source.log",
            silence_seconds=SILENCE_SECONDS,
            told=json.dumps(dict(properties)).encode(),
        ):
            if DOING in line:
                doing(line[DOING])
            elif SOURCE in line:
                found[line[OF]] = _READS.validate_python(line[SOURCE])
    except PermanentError as error:
        return found, error.what
    return found, "nothing was said about it"
