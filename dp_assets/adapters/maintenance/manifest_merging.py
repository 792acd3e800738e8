"""Manifests made anew out of others: the same live entries, by partition, in fewer files.

Entries become EXISTING with everything spelled out that they inherited, row ids included: an id
that was left to the manifest would be another one in another manifest. What a writer said that the
specification does not know stays. Deleted entries belong to older snapshots and are left out.

Source: Iceberg table specification, "Manifests", "Sequence Number Inheritance", "First Row ID
Inheritance".
"""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from dp_assets.adapters.iceberg_avro import (
    entry_schema,
    new_container,
    plain,
)
from dp_assets.adapters.iceberg_json import next_sequence
from dp_assets.adapters.iceberg_snapshot import Staged, current_lines, stage_snapshot
from dp_assets.adapters.iceberg_state import TableState
from dp_assets.adapters.maintenance.entry_sayings import (
    Sayings,
    difference,
    manifest_sayings,
)
from dp_assets.adapters.maintenance.entry_spool import EntrySpool
from dp_assets.adapters.maintenance.manifest_reading import ManifestSource
from dp_assets.adapters.maintenance.manifest_writing import (
    BLOCK_BYTES,
    DATA,
    Kind,
    NewManifest,
    figures,
)
from dp_assets.adapters.recovery.avro_generic import Record
from dp_assets.ports.lake_files import LakeFiles

# A manifest is closed with the block that fills it.
_BLOCKS_PER_MANIFEST = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """How manifests are cut.

    Attributes:
        manifest_bytes: a manifest that has as many is full.
        order: a sort key of a partition as JSON.
        spool: a folder on this machine for the entries meanwhile.
    """

    manifest_bytes: int
    order: Callable[[str], Any]
    spool: Path


@dataclass(slots=True)
class ManifestMerging:
    """The new manifests of one commit, as they are being written.

    Attributes:
        state: the table, with a current snapshot.
        snapshot_id: of the commit.
        replaced: lines of the list of ``state`` that go.
        lines: of the manifests written so far.
        said: by the manifests that go, of the files that stay.
    """

    state: TableState
    files: LakeFiles
    snapshot_id: int
    limits: Limits
    replaced: list[Record] = field(default_factory=list[Record])
    lines: list[Record] = field(default_factory=list[Record])
    said: Sayings = field(default_factory=Counter)

    @property
    def written(self) -> tuple[str, ...]:
        """Paths of the new manifests, which nothing names until a commit does."""
        return tuple(line["manifest_path"] for line in self.lines)

    @property
    def gone(self) -> tuple[str, ...]:
        """Paths of those that they replace."""
        return tuple(line["manifest_path"] for line in self.replaced)

    def merge(self, piles: Sequence[Collection[str]]) -> None:
        """Write the manifests of each pile anew; those of a pile are of one spec and content.

        Raises:
            PermanentError: one of them is damaged.
        """
        listed, _ = current_lines(self.state)
        for pile in piles:
            lines = [line for line in listed if line["manifest_path"] in pile]
            self.replaced += lines
            with tempfile.TemporaryFile(dir=self.limits.spool) as file:
                spool = EntrySpool(file, self.limits.order)
                self._write(*self._filled(spool, lines), spool)

    def difference(self) -> str:
        """What the new manifests, read back, say otherwise than the old ones; "" when nothing."""
        after: Sayings = Counter()
        for path in self.written:
            after.update(manifest_sayings(self.files.read(path), name=path))
        return difference(self.said, after)

    def stays(self, state: TableState) -> bool:
        """Whether what was written fits the table as it is now, too: others only added to it."""
        if state.raw["format-version"] != self.state.raw["format-version"]:
            return False
        now = {line["manifest_path"]: line for line in current_lines(state)[0]}
        return all(now.get(line["manifest_path"]) == line for line in self.replaced)

    def stage(
        self, state: TableState, *, empty: Collection[str], summary: Mapping[str, str], now_ms: int
    ) -> Staged:
        """Write the list of the snapshot on top of ``state``; ``empty`` manifests are left out."""
        number = next_sequence(state.raw)
        return stage_snapshot(
            state,
            [{**line, "sequence_number": number} for line in self.lines],
            leave={*self.gone, *empty},
            snapshot_id=self.snapshot_id,
            summary=summary,
            now_ms=now_ms,
        )

    def _filled(self, spool: EntrySpool, lines: Sequence[Record]) -> tuple[Kind, dict[str, bytes]]:
        """Put every live entry into the spool; of what kind they are, and what the files say."""
        sources = (ManifestSource(self.files, line) for line in lines)
        first = next(sources)
        schema = entry_schema(self.state.raw["format-version"], first.schema)
        target = new_container(schema, {}, name=lines[0]["manifest_path"])
        for source in chain([first], sources):
            for entry in source.entries(schema, self.said):
                spool.put(figures(entry), plain(target, entry))
        content = lines[0].get("content") or DATA
        kind = Kind(lines[0]["partition_spec_id"], content, json.dumps(schema))
        return kind, first.header

    def _write(self, kind: Kind, header: Mapping[str, bytes], spool: EntrySpool) -> None:
        manifest: NewManifest | None = None
        limit = self.limits.manifest_bytes
        for said, entry in spool.in_order():
            if manifest is None:
                manifest = NewManifest(
                    self.state,
                    kind,
                    snapshot_id=self.snapshot_id,
                    header=header,
                    block_bytes=min(BLOCK_BYTES, limit // _BLOCKS_PER_MANIFEST),
                )
            manifest.add_plain(said, entry)
            if manifest.size >= limit:
                self.lines.append(manifest.write())
                manifest = None
        if manifest is not None:
            self.lines.append(manifest.write())
