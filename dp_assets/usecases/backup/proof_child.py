"""The process that looks at a restored copy: confined to it, it says what it finds as JSON lines.

``python -m dp_assets.usecases.backup.proof_child JOB``: a process of its own, so that neither a
crash of an engine nor its memory can take the drill along, and so that nothing outside of the
scratch folder can be read by mistake. What it is told is in the job; what it says, on its output.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from dp_assets.adapters.lean_process import lean_process
from dp_assets.adapters.recovery.confined_io import ConfinedFiles, ConfinedIO, Confinement
from dp_assets.adapters.recovery.duckdb_proof import confined_connection
from dp_assets.core.errors import LakeError
from dp_assets.domains.backup.documents import from_json
from dp_assets.domains.backup.proving import TableProof, not_restored
from dp_assets.domains.backup.source_comparing import CopyRead
from dp_assets.usecases.backup.table_proving import TableJob, TableProver

DOING, FOUND, OF, TABLE, READS = "doing", "found", "of", "table", "reads"
Say = Callable[[dict[str, object]], None]
# Of the 700 MB that a drill may take; PyArrow and the engines' code need the rest.
DUCKDB_MEMORY = "200MB"
THREADS = 2


@dataclass(frozen=True, slots=True)
class ProofJob:
    """What to look at.

    Attributes:
        folder: the scratch; nothing outside is opened.
        everything: engines read every snapshot, not a sample.
        seed: of the sample.
    """

    folder: str
    tables: tuple[TableJob, ...]
    everything: bool
    seed: str


def run(job: ProofJob, say: Say) -> None:
    """Every table of ``job``, one by one."""
    folder = Path(job.folder)
    confinement = Confinement(folder)
    connection = confined_connection(folder, memory_limit=DUCKDB_MEMORY, threads=THREADS)
    prover = TableProver(
        ConfinedFiles(confinement),
        ConfinedIO(confinement),
        connection,
        doing=lambda text: say({DOING: text}),
    )
    for table in job.tables:
        proof, reads = _proved(prover, table, job, say)
        say({TABLE: asdict(proof), READS: [asdict(read) for read in reads]})


def _proved(
    prover: TableProver, table: TableJob, job: ProofJob, say: Say
) -> tuple[TableProof, tuple[CopyRead, ...]]:
    try:
        compared = prover.compare(table)
    except LakeError as error:
        return not_restored(table.table, error.what), ()
    # Said before engines run, which may be killed.
    say({FOUND: compared.differences, OF: table.table})
    return prover.read(table, compared, everything=job.everything, seed=job.seed)


def answer_lines() -> Say:
    """Takes lines for whoever has started this process; what libraries print goes elsewhere."""
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(line: dict[str, object]) -> None:
        answer.write(json.dumps(line) + "\n")
        answer.flush()

    return say


def main() -> int:
    """Read the job that the argument names, and answer it."""
    path = Path(sys.argv[1])
    job = from_json(ProofJob, path.read_bytes(), about=str(path))
    with lean_process():
        run(job, answer_lines())
    return 0


if __name__ == "__main__":
    sys.exit(main())
