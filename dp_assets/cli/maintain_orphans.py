"""What a sweep for orphans is about to do, for people and for programs."""

from typing import TYPE_CHECKING

from dp_assets.cli import cells

if TYPE_CHECKING:
    from dp_assets.cli.output import Output
    from dp_assets.usecases.maintenance.finding_orphans import Orphans

EXAMPLES = 5


def show_orphans(out: "Output", title: str, found: "Orphans") -> None:
    """Some of the files that go to the trash; there is at least one."""
    from dp_assets.core.units import format_bytes

    files = found.files
    noun = "file that nothing names goes" if len(files) == 1 else "files that nothing names go"
    oldest = cells.time(files[0].modified_ms)
    size = format_bytes(found.bytes)
    out.line(f"{title}: {len(files):,} {noun} to the trash: {size}, the oldest of {oldest}")
    for file in files[:EXAMPLES]:
        out.line(f"  {file.path}")
    if len(files) > EXAMPLES:
        out.line(f"  and {len(files) - EXAMPLES:,} more")
    if found.asks:
        out.line(f"  allowed although {found.asks}")


def orphans_document(found: "Orphans") -> dict[str, object]:
    """All of them."""
    return {
        "orphans": [file.path for file in found.files],
        "orphan_bytes": found.bytes,
        "oldest_ms": found.files[0].modified_ms if found.files else None,
        "too_young_bytes": found.young_bytes,
        "asks": found.asks or None,
    }
