"""Statistics files live as long as the snapshot that they are of, and no longer."""

from pathlib import Path
from typing import Any

import pytest

from dp_assets.domains.backup.moved_metadata import encode_metadata
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets_tests.usecases.maintenance.expiries import (
    after_the_window,
    check_whole,
    metadata_of,
    pointer_of,
    record_of,
    run_expiry,
    snapshots_of,
)
from dp_assets_tests.usecases.maintenance.expiry_lakes import lake, prepared
from dp_assets_tests.usecases.maintenance.orphans import all_made_old, folder_of, found

__all__ = ["lake", "prepared"]  # fixtures


def with_statistics(lake: Lakehouse, kind: str, files: dict[str, int]) -> dict[str, Path]:
    """Files of that kind by name, each of a snapshot; as an engine records them."""
    folder = folder_of(lake) / "metadata"
    entries: list[dict[str, Any]] = []
    for name, snapshot in files.items():
        path = folder / name.split("@", maxsplit=1)[0]
        path.write_bytes(b"PFA1PFA1")
        one = {"snapshot-id": snapshot, "statistics-path": f"file:{path}", "file-size-in-bytes": 8}
        more = {"file-footer-size-in-bytes": 4, "blob-metadata": []} if kind == "statistics" else {}
        entries.append({**one, **more})
    metadata = {**metadata_of(lake), kind: entries}
    Path(one_spelling(pointer_of(lake))).write_bytes(encode_metadata(metadata))
    return {name: folder / name.split("@", maxsplit=1)[0] for name in files}


@pytest.mark.parametrize("kind", ["statistics", "partition-statistics"])
def test_they_go_with_their_snapshot(lake: Lakehouse, kind: str):
    """The tagged snapshot is the oldest and stays; the second one goes. Incident: amoro#1959."""
    snapshots = snapshots_of(lake)
    named = {"head.stats": snapshots[-1], "tag.stats": snapshots[0], "stale.stats": snapshots[1]}
    shared = {"shared.stats@1": snapshots[1], "shared.stats@2": snapshots[-1]}
    files = with_statistics(lake, kind, {**named, **shared})
    stale = files.pop("stale.stats")
    run_expiry(lake)
    assert snapshots[1] not in snapshots_of(lake)
    left = {one["statistics-path"].rpartition("/")[2] for one in metadata_of(lake)[kind]}
    assert left == {"head.stats", "tag.stats", "shared.stats"}
    trashed = {Path(one_spelling(file.path)) for file in record_of(lake).files}
    assert trashed & {stale, *files.values()} == {stale}
    all_made_old(lake)
    assert found(lake) == set()
    after_the_window(lake)
    assert not stale.exists()
    assert all(path.exists() for path in files.values())
    check_whole(pointer_of(lake))
