"""A table's state at one pointer, read once: raw metadata, slim model, manifests, live files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.expressions.visitors import inclusive_projection, manifest_evaluator
from pyiceberg.io import FileIO
from pyiceberg.manifest import ManifestContent, ManifestEntry, ManifestFile, read_manifest_list
from pyiceberg.table.metadata import TableMetadata, TableMetadataUtil

from dp_assets.adapters.iceberg_json import Json, head_id, read_metadata, slim

# Each commit replaces the manifest it read, so older ones are only weight: with thousands of them
# kept, a year of daily commits took 0.9 GB.
ENTRIES_CACHED = 64


@dataclass(frozen=True)
class TableState:
    """What the table is at ``pointer``; immutable, so it may be kept and compared."""

    pointer: str
    raw: Json
    io: FileIO

    @cached_property
    def model(self) -> TableMetadata:
        """PyIceberg's view of schemas, specs and properties; without snapshots."""
        return TableMetadataUtil.parse_obj(slim(self.raw))

    @cached_property
    def manifests(self) -> tuple[ManifestFile, ...]:
        """The manifests of the current snapshot, data and deletes."""
        head = head_id(self.raw)
        found = [s for s in self.raw.get("snapshots") or () if s["snapshot-id"] == head]
        if not found:
            return ()
        return tuple(read_manifest_list(self.io.new_input(found[0]["manifest-list"])))

    def data_manifests(self, where: BooleanExpression) -> Iterator[ManifestFile]:
        """Data manifests that may hold live files with rows matching ``where``."""
        matches = {i: _evaluator(self.model, i, where) for i in self.model.specs()}
        for manifest in self.manifests:
            has_data = manifest.content == ManifestContent.DATA and _has_live_files(manifest)
            if has_data and matches[manifest.partition_spec_id](manifest):
                yield manifest

    def entries(self, manifest: ManifestFile) -> tuple[ManifestEntry, ...]:
        """The live entries of one manifest; manifests never change, so they are read once."""
        return _entries(self.io, manifest)


def load_state(io: FileIO, pointer: str) -> TableState:
    """Read the metadata file; manifests follow when asked for."""
    return TableState(pointer=pointer, raw=read_metadata(io, pointer), io=io)


def _evaluator(
    model: TableMetadata, spec_id: int, where: BooleanExpression
) -> Callable[[ManifestFile], bool]:
    if isinstance(where, AlwaysTrue):
        return lambda _: True
    schema, spec = model.schema(), model.specs()[spec_id]
    return manifest_evaluator(spec, schema, inclusive_projection(schema, spec)(where))


def _has_live_files(manifest: ManifestFile) -> bool:
    return bool(manifest.has_added_files() or manifest.has_existing_files())


@lru_cache(maxsize=ENTRIES_CACHED)
def _entries(io: FileIO, manifest: ManifestFile) -> tuple[ManifestEntry, ...]:
    return tuple(manifest.fetch_manifest_entry(io, discard_deleted=True))
