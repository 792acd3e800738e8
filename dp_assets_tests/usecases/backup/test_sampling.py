"""Which known files are read again: bounded bytes in a run, and all of them in the long run."""

import random
from collections import Counter
from itertools import chain

from dp_assets.core.units import MIB
from dp_assets.ports.repository_index import FileKey
from dp_assets.usecases.backup.sampling import SAMPLE_BYTES, _affordable

RUNS = 2000


def runs(*sizes: int) -> list[list[int]]:
    """The numbers of the files that each of many runs reads again."""
    known = [("t", FileKey("u", str(number), size, ""), "") for number, size in enumerate(sizes)]
    picks = (random.Random(seed) for seed in range(RUNS))  # noqa: S311 - no secret
    return [[int(key.path) for _, key, _ in _affordable(list(known), pick)] for pick in picks]


def test_small_files_are_all_read():
    assert all(sorted(one) == list(range(10)) for one in runs(*[3 * MIB] * 10))


def test_what_fits_is_read():
    found = runs(*[20 * MIB] * 4)
    assert all(1 <= len(one) <= 2 for one in found)
    assert set(chain(*found)) == set(range(4))


def test_large_files_have_their_turns():
    """Eight files of 128 MiB beside three small ones."""
    found = runs(*[128 * MIB] * 8, *[10_000] * 3)
    times = Counter(chain(*found))
    assert all(times[small] == RUNS for small in (8, 9, 10))
    large = [times[number] for number in range(8)]
    assert min(large) > 0
    mean_bytes = sum(large) * 128 * MIB / RUNS
    assert 0.8 * SAMPLE_BYTES < mean_bytes < 1.2 * SAMPLE_BYTES


def test_something_is_always_read():
    assert all(len(one) == 1 for one in runs(*[1000 * MIB] * 3))
