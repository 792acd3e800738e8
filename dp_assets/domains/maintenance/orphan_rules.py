"""What may be called an orphan, and what stops a sweep. Pure.

Each rule that stops a sweep answers with its reason; "" when it has nothing against it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dp_assets.core.units import DAY_MS, format_bytes, format_seconds, iso_utc
from dp_assets.domains.maintenance.due import CLOCK_SKEW_MS
from dp_assets.domains.maintenance.orphan_files import metadata_version
from dp_assets.ports.orphans import ListedFile

Json = Mapping[str, Any]
FLOOR_MS = DAY_MS  # no policy makes younger files orphans: a writer may still commit them
MAX_SHARE = 0.10  # of the bytes that stay; more is asked for
MAX_FILES = 1000
NAMED = 3


@dataclass(frozen=True, slots=True)
class TableSeen:
    """How far a table was when it was looked at."""

    uuid: str
    pointer: str
    version: int | None
    updated_ms: int
    sequence_number: int
    log: frozenset[str]

    @classmethod
    def of(cls, metadata: Json, pointer: str) -> "TableSeen":
        """As its metadata file says."""
        return cls(
            uuid=metadata.get("table-uuid") or "",
            pointer=pointer,
            version=metadata_version(pointer),
            updated_ms=int(metadata.get("last-updated-ms") or 0),
            sequence_number=int(metadata.get("last-sequence-number") or 0),
            log=frozenset(one["metadata-file"] for one in metadata.get("metadata-log") or ()),
        )


def why_older(before: TableSeen, now: TableSeen) -> str:
    """Whether the second answer of the catalog is older than the first, or about another table."""
    if now.uuid != before.uuid:
        return "it was dropped and made again meanwhile"
    if now.pointer == before.pointer:
        return ""
    if (
        now.pointer in before.log
        or now.updated_ms < before.updated_ms
        or now.sequence_number < before.sequence_number
        or (now.version is not None and now.version < (before.version or 0))
    ):
        return (
            f"the catalog showed {before.pointer} and then {now.pointer}, which is older: "
            "not every answer of it is the newest"
        )
    return ""


def why_clocks_differ(files_newest_ms: int, seen: TableSeen, *, now_ms: int) -> str:
    """Whether something is dated so far ahead that no age can be believed."""
    newest = max(files_newest_ms, seen.updated_ms)
    if newest <= now_ms + CLOCK_SKEW_MS:
        return ""
    ahead = format_seconds((newest - now_ms) / 1000)
    return (
        f"something in it is dated {iso_utc(newest)}, {ahead} ahead of this machine: one of the "
        "clocks is wrong, and ages cannot be believed"
    )


def youngest_age_ms(policy_ms: int) -> int:
    """The age from which a file counts, whatever a policy says."""
    return max(FLOOR_MS, policy_ms)


def why_incomplete(missing: Sequence[str]) -> str:
    """Whether the listing left out files that the table needs."""
    if not missing:
        return ""
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return (
        f"the listing of its folders lacks files that it needs: {', '.join(missing[:NAMED])}"
        f"{more}; it was cut short, or they are gone ('dp fsck' looks)"
    )


def why_many(orphans: Sequence[ListedFile], *, kept_bytes: int) -> str:
    """Whether so much would go that a person is to look at it first."""
    size = sum(file.size for file in orphans)
    if len(orphans) > MAX_FILES:
        return f"{len(orphans):,} files are named by nothing, more than {MAX_FILES:,}"
    if size > MAX_SHARE * kept_bytes:
        return (
            f"{format_bytes(size)} in {len(orphans):,} files are named by nothing, more than "
            f"{MAX_SHARE:.0%} of the {format_bytes(kept_bytes)} that stay"
        ).replace("%", " %")
    return ""


def why_ahead(newest: Mapping[str, int], seen: TableSeen) -> str:
    """Whether the folder has commits that the catalog does not know of.

    One more than the pointer may be a commit that never landed; two more cannot be: the second
    would stand on one that did.

    Args:
        newest: versions of metadata files that nothing names, by path.
        seen: the table as the catalog shows it.
    """
    if newest and seen.version is None:
        return f"the name of {seen.pointer} does not tell whether {min(newest)} is newer"
    limit = (seen.version or 0) + 1
    ahead = sorted((version, path) for path, version in newest.items() if version > limit)
    if not ahead:
        return ""
    return (
        f"{ahead[-1][1]} is of a later commit than {seen.pointer}, which the catalog shows: it may "
        "be a restored one, or another catalog writes there"
    )
