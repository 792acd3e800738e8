"""``python -m benchmarks.made_histories COMMITS FILES``: tables of nothing but metadata.

Where ``DP_CONFIG`` says. No data file is there: planning, committing and reachability open none.
"""

import sys
from collections.abc import Iterator

from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestWriterV2
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record
from pyiceberg.types import LongType, NestedField, StringType

from benchmarks.made_lineitem import MANIFESTS, NAMESPACE, SNAPSHOTS
from benchmarks.made_metadata import MetadataWriter, Snapshot
from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.domains.lake.identity import DEMO
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from dp_assets.usecases.initialising import initialise

SHORT, MANAGED, UNMANAGED = "short", "managed", "unmanaged"
SHORT_COMMITS = 10
ONE_MANIFEST, MANY_MANIFESTS = "one_manifest", "many_manifests"
SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "name", StringType(), required=False),
    NestedField(3, "amount", LongType(), required=False),
)
BOUNDS = {1: b"\0" * 8, 2: b"a", 3: b"\0" * 8}


def main(commits: int, files: int) -> None:
    """A short and two long histories, and two tables of many files."""
    settings = load_settings()
    initialise(settings, origin=DEMO)
    root = f"{settings.warehouse.root.rstrip('/')}/{NAMESPACE}"
    shapes = {
        SHORT: (SHORT_COMMITS, SHORT_COMMITS, SHORT_COMMITS),
        UNMANAGED: (commits, commits, commits),
        MANAGED: (commits, min(MANIFESTS, commits), min(SNAPSHOTS, commits)),
        ONE_MANIFEST: (files, 1, 1),
        MANY_MANIFESTS: (files, min(MANIFESTS, files), 1),
    }
    made = {name: _table(f"{root}/{name}", *shape) for name, shape in shapes.items()}
    with opened(settings) as lake:
        lake.catalog.create_namespace(NAMESPACE)
        for name, pointer in made.items():
            lake.catalog.register_table((NAMESPACE, name), pointer)


def _table(location: str, files: int, manifests: int, snapshots: int) -> str:
    """``files`` commits of a file each, of which the last ``snapshots`` are kept.

    As maintenance leaves it: what the older ones added is in as many manifests as there may be.
    """
    metadata = MetadataWriter(location, SCHEMA, seed=1, properties={ADOPTED: "true"})
    data = list(_files(location, files))
    if snapshots == 1:
        listed = list(metadata.manifests(data, 1, ManifestWriterV2, each=-(-files // manifests)))
        return metadata.write([Snapshot(1, "append", listed)])
    first = files - snapshots
    each = -(-first // max(1, manifests - snapshots))
    listed = list(metadata.manifests(data[:first], first, ManifestWriterV2, each=max(1, each)))
    made: list[Snapshot] = []
    for number, file in enumerate(data[first:], start=first + 1):
        listed += metadata.manifests([file], number, ManifestWriterV2)
        made.append(Snapshot(number, "append", list(listed)))
    return metadata.write(made)


def _files(location: str, count: int) -> Iterator[DataFile]:
    for number in range(count):
        yield DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=f"{location}/data/{number:05d}.parquet",
            file_format=FileFormat.PARQUET,
            partition=Record(),
            record_count=1000,
            file_size_in_bytes=500_000,
            column_sizes=dict.fromkeys(BOUNDS, 1000),
            value_counts=dict.fromkeys(BOUNDS, 1000),
            null_value_counts=dict.fromkeys(BOUNDS, 0),
            nan_value_counts={},
            lower_bounds=BOUNDS,
            upper_bounds=BOUNDS,
            split_offsets=[4],
        )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
