"""Power loss: what the catalog points to is on the disk before the catalog says so (FAULTS 17).

Proved on the system calls of a real process: whenever the catalog's database is written, every file
and folder made until then in the warehouse is synced, and so is the folder that names it.
"""

from collections.abc import Mapping, Sequence

import pytest

from dp_assets_tests.faults.traced_writes import PHASES
from dp_assets_tests.faults.tracing import Call, traced


@pytest.fixture(scope="module")
def phases(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sequence[Call]]:
    """Phase of the traced process -> its calls under the lakehouse's folder, in order."""
    folder, trace = tmp_path_factory.mktemp("traced"), tmp_path_factory.mktemp("trace") / "calls"
    return traced("dp_assets_tests.faults.traced_writes", folder, trace=trace)


def unsynced_at_commits(made: Sequence[Call]) -> list[set[str]]:
    """What was not on the disk at each write to the catalog's database."""
    dirty: set[str] = set()
    found: list[set[str]] = []
    for call in made:
        folder = call.path.rpartition("/")[0]
        if "/warehouse" in call.path and (call.name == "mkdir" or "O_CREAT" in call.flags):
            dirty |= {f"{folder}/"} if call.name == "mkdir" else {call.path, f"{folder}/"}
        elif call.name in ("fsync", "fdatasync"):
            dirty -= {call.path, f"{call.path}/"}
        elif call.name in ("write", "pwrite64") and call.path.endswith("/catalog.db"):
            found.append(set(dirty))
    return found


def files_made(made: Sequence[Call]) -> list[str]:
    return [c.path for c in made if "O_CREAT" in c.flags and "/warehouse/" in c.path]


@pytest.mark.parametrize("phase", PHASES[:2])
def test_every_new_file_and_its_folder_is_synced_before_the_catalog_moves(
    phases: Mapping[str, Sequence[Call]], phase: str
):
    unsynced = unsynced_at_commits(phases[phase])
    assert unsynced
    assert not any(unsynced)


def test_the_trace_saw_every_file_of_a_commit(phases: Mapping[str, Sequence[Call]]):
    """Rows of the day, rows of the other days, manifest, manifest list, metadata."""
    kinds = [path.rpartition("/")[2] for path in files_made(phases["as-it-is"])]
    assert sum(name.endswith(".parquet") for name in kinds) == 2
    assert sum(name.startswith("snap-") for name in kinds) == 1
    assert sum(name.endswith("-m0.avro") for name in kinds) == 1
    assert kinds[-1].endswith(".metadata.json")
    assert len(kinds) == 5


def test_the_catalog_moves_after_the_last_file(phases: Mapping[str, Sequence[Call]]):
    made = phases["as-it-is"]
    last = max(i for i, c in enumerate(made) if c.path.endswith(".metadata.json"))
    assert any(c.name == "pwrite64" and c.path.endswith("/catalog.db") for c in made[last:])


def test_no_file_of_the_table_is_removed_or_overwritten(phases: Mapping[str, Sequence[Call]]):
    every = [call for made in phases.values() for call in made]
    assert not [c for c in every if c.name in ("unlink", "rename") and "/warehouse/" in c.path]
    made = files_made(every)
    assert len(made) == len(set(made))


@pytest.mark.parametrize("phase", PHASES[2:])
def test_a_missing_sync_would_be_seen(phases: Mapping[str, Sequence[Call]], phase: str):
    unsynced = set().union(*unsynced_at_commits(phases[phase]))
    wanted = ".metadata.json" if phase == "files-not-synced" else "/metadata/"
    assert any(path.endswith(wanted) for path in unsynced)
