"""The process that reads the tables a point was made of, where they are still there.

``python -m dp_assets.usecases.backup.source_child JOB``: it reads and writes nothing but its own
scratch. The catalog's properties come on its input: they may hold secrets.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from dp_assets.adapters.objects.lake_files import CatalogFiles
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.adapters.recovery.duckdb_proof import open_connection
from dp_assets.domains.backup.documents import from_json
from dp_assets.usecases.backup.proof_child import (
    DOING,
    DUCKDB_MEMORY,
    OF,
    THREADS,
    Say,
    answer_lines,
)
from dp_assets.usecases.backup.source_reading import SourceJob, SourceReader

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = "source"


@dataclass(frozen=True, slots=True)
class SourceJobs:
    """What to read; ``folder`` is the scratch."""

    folder: str
    tables: tuple[SourceJob, ...]


def run(job: SourceJobs, say: Say, *, properties: Mapping[str, str]) -> None:
    """Every table of ``job``, one by one."""
    folder = Path(job.folder)
    reader = SourceReader(
        CatalogFiles(properties, tmp_dir=folder),
        ReadingIO(dict(properties)),
        open_connection(folder, memory_limit=DUCKDB_MEMORY, threads=THREADS),
        doing=lambda text: say({DOING: text}),
    )
    for table in job.tables:
        say({SOURCE: [asdict(read) for read in reader.read(table)], OF: table.table})


def main() -> int:
    """Read the job that the argument names, and answer it."""
    path = Path(sys.argv[1])
    properties = TypeAdapter(dict[str, str]).validate_json(sys.stdin.buffer.read())
    job = from_json(SourceJobs, path.read_bytes(), about=str(path))
    run(job, answer_lines(), properties=properties)
    return 0


if __name__ == "__main__":
    sys.exit(main())
