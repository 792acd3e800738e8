"""The files of a compaction's commit: manifests, manifest list. Nothing is visible yet."""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from dp_assets.adapters.iceberg_snapshot import Staged, current_lines, stage_snapshot
from dp_assets.adapters.iceberg_state import TableState
from dp_assets.adapters.maintenance.replace_manifests import Leaving, ReplaceManifests
from dp_assets.adapters.recovery.avro_generic import Record
from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import TableClosure, one_spelling
from dp_assets.ports.compaction import RewrittenGroup

VERSIONS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a commit replaces.

    Attributes:
        groups: judged against the table that it is committed to.
        sequence_number: of the planned snapshot.
        deletes: path and offset of the delete entries that nothing needs afterwards.
        summary: of the snapshot, the operation included.
    """

    groups: Sequence[RewrittenGroup]
    sequence_number: int
    deletes: Collection[tuple[str, int]]
    summary: Mapping[str, str]


def stage_replace(
    state: TableState,
    closure: TableClosure,
    replacement: Replacement,
    *,
    now_ms: int,
    failpoint: Callable[[str], None],
) -> Staged:
    """Write the manifests and the list of a snapshot on top of the current one.

    Args:
        state: the table, with a current snapshot.
        closure: the same table, at the same pointer; it says which manifests list what.
        replacement: what goes and what comes.
        now_ms: of the snapshot.
        failpoint: called after each durable step.

    Raises:
        PermanentError: the table is of a version that this cannot write, or a manifest is damaged.
    """
    if state.raw["format-version"] not in VERSIONS:
        raise PermanentError(
            f"{closure.location} is of format version {state.raw['format-version']}",
            hint=f"versions {', '.join(map(str, VERSIONS))} can be compacted",
        )
    gone = {file.path for one in replacement.groups for file in one.group.inputs}
    leaving = Leaving(gone, frozenset(replacement.deletes))
    lines, _ = current_lines(state)
    touched = [line for line in lines if _lists(closure, line, leaving)]
    leave = {line["manifest_path"] for line in (*touched, *filter(_is_empty, lines))}
    manifests = ReplaceManifests(
        state=state,
        snapshot_id=secrets.randbits(63),
        sequence_number=replacement.sequence_number,
        leaving=leaving,
    )
    manifests.replace(touched, replacement.groups)
    failpoint("manifests-written")
    return stage_snapshot(
        state,
        manifests.lines,
        leave=leave,
        snapshot_id=manifests.snapshot_id,
        summary=replacement.summary,
        now_ms=now_ms,
    )


def _lists(closure: TableClosure, line: Record, leaving: Leaving) -> bool:
    """Whether a manifest has a live entry that leaves."""
    manifest = closure.manifests[one_spelling(line["manifest_path"])]
    return any(
        entry.path in leaving.data or (entry.path, entry.offset) in leaving.deletes
        for entry in manifest.entries
    )


def _is_empty(line: Record) -> bool:
    """Nothing live is in it: its deleted entries belong to an older snapshot."""
    return line["added_files_count"] == 0 and line["existing_files_count"] == 0
