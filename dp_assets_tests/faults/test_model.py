"""Two processes do anything to a table; what is read is what a dict of rows says.

A failure names its episode: ``DP_SEED=<seed>-<n>`` repeats that one alone, up to the order in which
the two processes come first.
"""

import os
import random
import time
from pathlib import Path

import pytest

from dp_assets_tests.faults.model_episode import Tally, live, two_workers

SOAK = os.environ.get("DP_SOAK") == "1"
SECONDS = int(os.environ.get("DP_SOAK_SECONDS") or 600) if SOAK else 24


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 300)
def test_two_processes_against_a_dict_of_rows(tmp_path: Path):
    seed = os.environ.get("DP_SEED") or str(random.randrange(2**32))  # noqa: S311 - no secret
    print(f"DP_SEED={seed}")  # noqa: T201 - to do it again
    one, tally, until = seed, Tally(), time.monotonic() + SECONDS

    def go_on() -> bool:
        return "-" in seed or time.monotonic() < until

    with two_workers(tmp_path) as workers:
        try:
            while go_on():
                one = seed if "-" in seed else f"{seed}-{tally.episodes}"
                live(tmp_path / f"lake{tally.episodes}", one, workers, tally, go_on=go_on)
                if "-" in seed:
                    break
        except BaseException:
            print(f"failed in episode DP_SEED={one}")  # noqa: T201
            print(*tally.last, sep="\n")  # noqa: T201
            for log in tmp_path.glob("*.log"):
                print(log.read_text()[-3000:])  # noqa: T201
            raise
        finally:
            report(tally)
    assert tally.rounds, "no round in all that time"


def report(tally: Tally) -> None:
    print(f"{tally.episodes} episodes, {tally.rounds} rounds")  # noqa: T201
    for (what, ended), count in sorted(tally.ends.items()):
        print(f"  {what} {ended}: {count}")  # noqa: T201
    for why, count in tally.whys.most_common(30):
        print(f"  {count} x {why}")  # noqa: T201
