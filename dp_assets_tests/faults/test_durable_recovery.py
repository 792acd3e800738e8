"""Power loss: what a point or a catalog names is on the disk before it names it (FAULTS 17).

A backup and a restore sync the file system once instead of each file. Proved on system calls.
"""

from collections.abc import Mapping, Sequence

import pytest

from dp_assets_tests.faults.traced_recovery import PHASES
from dp_assets_tests.faults.tracing import Call, traced

NAMING = ("link", "rename")
NEW = "O_CREAT"
WRITING = (*NAMING, "write")
Phases = Mapping[str, Sequence[Call]]


@pytest.fixture(scope="module")
def phases(tmp_path_factory: pytest.TempPathFactory) -> Phases:
    folder, trace = tmp_path_factory.mktemp("traced"), tmp_path_factory.mktemp("trace") / "calls"
    return traced("dp_assets_tests.faults.traced_recovery", folder, trace=trace)


def unsynced(made: Sequence[Call], *, below: str) -> list[set[str]]:
    """After each call, the files below that folder that a power cut may still take."""
    dirty: set[str] = set()
    found: list[set[str]] = []
    for call in made:
        if call.name == "syncfs":
            dirty.clear()
        elif (call.name in WRITING or NEW in call.flags) and below in call.path:
            dirty.add(call.path)
        found.append(set(dirty))
    return found


def at_the_points_files(made: Sequence[Call]) -> list[set[str]]:
    dirty = unsynced(made, below="/objects/")
    files = ("/manifest.json.gz", "/point.json")
    return [dirty[i] for i, c in enumerate(made) if c.name == "link" and c.path.endswith(files)]


def at_the_catalog(made: Sequence[Call]) -> list[set[str]]:
    """From the last metadata file on: that is when tables become visible."""
    made = [call for call in made if "/lake/" not in call.path]  # where the next rows come from
    dirty = unsynced(made, below="/warehouse/")
    last = max(i for i, c in enumerate(made) if c.path.endswith(".metadata.json"))
    writes = [i for i, c in enumerate(made) if c.name == "pwrite64" and "/catalog.db" in c.path]
    return [dirty[i] for i in writes if i > last]


def named(made: Sequence[Call], below: str) -> int:
    return sum((call.name in NAMING or NEW in call.flags) and below in call.path for call in made)


def test_every_object_is_durable_before_the_point_exists(phases: Phases):
    assert named(phases["backup"], "/objects/") > 10
    seen = at_the_points_files(phases["backup"])
    assert len(seen) == 2
    assert not any(seen)


def test_every_file_is_durable_before_the_catalog_names_it(phases: Phases):
    assert named(phases["restore"], "/warehouse/") > 10
    seen = at_the_catalog(phases["restore"])
    assert seen
    assert not any(seen)


@pytest.mark.parametrize(
    ("phase", "seen"), [(PHASES[2], at_the_points_files), (PHASES[3], at_the_catalog)]
)
def test_a_missing_barrier_would_be_seen(phases: Phases, phase: str, seen):
    assert any(seen(phases[phase]))


@pytest.mark.parametrize("phase", PHASES)
def test_there_is_one_barrier_not_one_for_each_file(phases: Phases, phase: str):
    made = sum(call.name == "syncfs" for call in phases[phase])
    assert made == (0 if phase.endswith("not-settled") else 1)
