"""``python -m benchmarks.made_lineitem FILES``: lineitem, as tables that grew by appends.

Where ``DP_CONFIG`` says. Three tables: ``maintained`` and ``raw`` have the same rows, in files
of 15,000 that they share; ``large`` has files of one row group of 750,000.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestWriterV2
from pyiceberg.typedef import Record

from benchmarks.lineitem_rows import SCHEMA, SEED, rows
from benchmarks.made_metadata import MetadataWriter, Snapshot, chunks, local
from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.domains.lake.identity import DEMO
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from dp_assets.usecases.initialising import initialise

NAMESPACE = "sales"
ROWS_PER_FILE = 15_000  # 0.5 MB
ROWS_PER_LARGE_FILE = 750_000  # 20 MB
# What is called maintained: see the goals of the compaction case.
MANIFESTS, SNAPSHOTS = 100, 50
FILES_PER_MANIFEST, FILES_PER_SNAPSHOT = 4, 8  # so in smaller tables


def main(files: int) -> None:
    """Make the lakehouse and its tables."""
    settings = load_settings()
    initialise(settings, origin=DEMO)
    root = f"{settings.warehouse.root.rstrip('/')}/{NAMESPACE}"
    pointers = {
        "raw": _small(f"{root}/raw", files=files, manifests=files, snapshots=files, source=None),
        "maintained": _small(
            f"{root}/maintained",
            files=files,
            manifests=_manifests(files),
            snapshots=_snapshots(files),
            source=f"{root}/raw",
        ),
        "large": _large(f"{root}/large", files=large_files(files), rows=files * ROWS_PER_FILE),
    }
    with opened(settings) as lake:
        lake.catalog.create_namespace(NAMESPACE)
        for name, pointer in pointers.items():
            lake.catalog.register_table((NAMESPACE, name), pointer)


def table_shapes(files: int) -> str:
    """What the two tables of small files are, in words."""
    return (
        f"{files} files; raw: as many manifests and snapshots; maintained: {_manifests(files)} "
        f"manifests, {_snapshots(files)} snapshots"
    )


def large_files(files: int) -> int:
    """How many files the large table has; two at least, or nothing could be joined."""
    return max(2, files * ROWS_PER_FILE // ROWS_PER_LARGE_FILE)


def table_files(table: Path) -> list[Path]:
    """The files that a table was made with, whatever has been written since."""
    return sorted((table / "data").glob("[0-9][0-9][0-9][0-9][0-9].parquet"))


def _small(location: str, *, files: int, manifests: int, snapshots: int, source: str | None) -> str:
    """Files of 15,000 rows, those of ``source`` by hard links; gives the metadata file."""
    metadata = _writer(location)
    if source is None:
        _write(location, files=files, each=ROWS_PER_FILE)
    else:
        for path in table_files(local(source)):
            os.link(path, local(location) / "data" / path.name)
    made = iter(_described(location))
    return metadata.write(
        list(_appends(metadata, made, files=files, manifests=manifests, snapshots=snapshots))
    )


def _manifests(files: int) -> int:
    return min(MANIFESTS, max(1, files // FILES_PER_MANIFEST))


def _snapshots(files: int) -> int:
    return min(SNAPSHOTS, max(1, files // FILES_PER_SNAPSHOT))


def _large(location: str, *, files: int, rows: int) -> str:
    metadata = _writer(location)
    _write(location, files=files, each=min(ROWS_PER_LARGE_FILE, rows))
    manifests = list(metadata.manifests(_described(location), 1, ManifestWriterV2))
    return metadata.write([Snapshot(1, "append", manifests)])


def _writer(location: str) -> MetadataWriter:
    return MetadataWriter(location, SCHEMA, seed=SEED, properties={ADOPTED: "true"})


def _appends(
    metadata: MetadataWriter,
    made: Iterator[DataFile],
    *,
    files: int,
    manifests: int,
    snapshots: int,
) -> Iterator[Snapshot]:
    """Snapshots that each add their share of the files, and list all manifests before."""
    listed = []
    per_manifest, per_snapshot = files // manifests, files // snapshots
    for number in range(1, snapshots + 1):
        own = [next(made) for _ in range(per_snapshot)]
        listed += metadata.manifests(own, number, ManifestWriterV2, each=per_manifest)
        yield Snapshot(number, "append", list(listed))


def _write(location: str, *, files: int, each: int) -> None:
    """Each file has one row group, as an append of PyIceberg's has."""
    at_once = max(1, ROWS_PER_LARGE_FILE // each)
    for some in chunks(range(files), at_once):
        made = rows(some[0] * each, (some[-1] + 1) * each)
        for place, number in enumerate(some):
            path = local(f"{location}/data/{number:05d}.parquet")
            piece = made.slice(place * each, each)
            pq.write_table(piece, path, compression="zstd", row_group_size=each, store_schema=False)


def _described(location: str) -> Sequence[DataFile]:
    """The files with the statistics that PyIceberg writes."""
    plan = compute_statistics_plan(SCHEMA, {})
    ids = parquet_path_to_id_mapping(SCHEMA)
    found: list[DataFile] = []
    for path in table_files(local(location)):
        footer = pq.read_metadata(path)
        statistics = data_file_statistics_from_parquet_metadata(footer, plan, ids)
        found.append(
            DataFile.from_args(
                content=DataFileContent.DATA,
                file_path=f"{location}/data/{path.name}",
                file_format=FileFormat.PARQUET,
                partition=Record(),
                file_size_in_bytes=path.stat().st_size,
                sort_order_id=None,
                **statistics.to_serialized_dict(),
            )
        )
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]))
