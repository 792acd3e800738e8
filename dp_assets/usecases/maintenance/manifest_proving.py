"""New manifests proven before anything is visible: read back, they say what the old ones say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.recovery.iceberg_manifests import read_manifest
from dp_assets.core.errors import PermanentError
from dp_assets.domains.maintenance.manifest_proof import entries_difference, live_entries_of
from dp_assets.ports.closure import one_spelling

if TYPE_CHECKING:
    from dp_assets.adapters.maintenance.manifest_merging import ManifestMerging
    from dp_assets.ports.closure import Manifest, TableClosure


def prove_manifests(merging: ManifestMerging, closure: TableClosure) -> dict[str, Manifest]:
    """The new manifests as read back, by ``one_spelling`` of their paths.

    Compared twice: what is said word for word, and what is inherited, the latter as the closure
    has it, which no code of the rewrite fills in.

    Args:
        merging: that wrote them.
        closure: of the table that they were made from.

    Raises:
        PermanentError: a file is listed otherwise than before.
    """
    read = {
        one_spelling(path): read_manifest(merging.files.read(path), name=path)
        for path in merging.written
    }
    after = (entry for manifest in read.values() for entry in manifest.entries)
    before = live_entries_of(closure, merging.gone)
    has_numbers = closure.format_version > 1
    wrong = merging.difference() or entries_difference(before, after, has_numbers=has_numbers)
    if wrong:
        raise PermanentError(
            f"new manifests of {closure.location} are wrong: {wrong}",
            hint="nothing of them is visible; report this with the table's metadata files",
        )
    return read
