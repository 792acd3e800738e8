"""Manifests that were written wrong: seen before anything is visible, or rolled back."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from dp_assets.adapters.iceberg_snapshot import stage_snapshot
from dp_assets.adapters.maintenance import manifest_merging, manifest_reading
from dp_assets.adapters.recovery.avro_generic import Record
from dp_assets.core.errors import PermanentError
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.adapters.table_checks import manifests
from dp_assets_tests.usecases.maintenance.manifest_rewrites import leftovers, rewrite
from dp_assets_tests.usecases.maintenance.things import Things


@pytest.fixture
def things(tmp_path: Path) -> Generator[Things, None, None]:
    with Lake(tmp_path) as lake:
        yield Things(lake).make()


def spoiled(change: Callable[[Record], None]) -> Callable[..., object]:
    """Wrong entries out of the code that reads the sources."""
    real = manifest_reading.live_entries

    def read(*given: object) -> object:
        for entry in real(*given):  # pyright: ignore[reportArgumentType]
            change(entry)
            yield entry

    return read


def _number(entry: Record) -> None:
    entry["sequence_number"] = 1


def _file_number(entry: Record) -> None:
    entry["file_sequence_number"] = None


def _snapshot(entry: Record) -> None:
    entry["snapshot_id"] = 1


def _bounds(entry: Record) -> None:
    entry["data_file"]["lower_bounds"] = entry["data_file"]["lower_bounds"][1:]


def _partition(entry: Record) -> None:
    entry["data_file"]["partition"] = {"part": "b"}


def _count(entry: Record) -> None:
    entry["data_file"]["null_value_counts"] = None


WRONG = (_number, _file_number, _snapshot, _bounds, _partition, _count)


def test_a_wrong_entry_is_seen_before_anything_is_visible(
    things: Things, monkeypatch: pytest.MonkeyPatch
):
    pointer = things.pointer
    for change in WRONG:
        with monkeypatch.context() as patched:
            patched.setattr(manifest_reading, "live_entries", spoiled(change))
            with pytest.raises(PermanentError, match=r"new manifests of .* listed .* than before"):
                rewrite(things.lake)
    assert things.pointer == pointer
    assert leftovers(things) == set()


def test_an_entry_that_is_lost_is_seen(things: Things, monkeypatch: pytest.MonkeyPatch):
    pointer, real = things.pointer, manifest_reading.live_entries
    monkeypatch.setattr(manifest_reading, "live_entries", lambda *given: list(real(*given))[1:])
    with pytest.raises(PermanentError, match="new manifests"):
        rewrite(things.lake)
    assert things.pointer == pointer


def test_a_wrong_list_is_rolled_back(things: Things, monkeypatch: pytest.MonkeyPatch):
    """A manifest that was not replaced is left out of the list: seen when it is read back."""
    things.delete_positions(3, part="a")
    head, ids = things.raw["current-snapshot-id"], things.ids()

    def short(state: object, lines: object, *, leave: set[str], **more: object) -> object:
        left = leave | {m.manifest_path for m in manifests(things.table)}
        return stage_snapshot(state, lines, leave=left, **more)  # pyright: ignore

    monkeypatch.setattr(manifest_merging, "stage_snapshot", short)
    with pytest.raises(PermanentError, match="rolled back"):
        rewrite(things.lake)
    assert things.raw["current-snapshot-id"] == head
    assert things.ids() == ids
