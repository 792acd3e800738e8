"""The frame of the tests that kill: a warm process of its own forks, kills and reports.

That process is a module of this folder, ``killed_<what>``, which prints a JSON list with an object
for every kill; it must be one that never started a thread.
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

SOAK = os.environ.get("DP_SOAK") == "1"
HIT = 0.8  # of random kills that must land between the first write and the return
MOST = 20  # places that are printed by their number of kills
SHOWN = 5000  # characters of a traceback


class Kill(Protocol):
    """What every report of a kill has."""

    @property
    def killed(self) -> bool: ...

    @property
    def where(self) -> str: ...


Left = TypeVar("Left")


def times(usual: int, *, soak: int) -> int:
    """How many kills: in `make test`, or in `make soak`."""
    return soak if SOAK else usual


def seed() -> int:
    """``DP_SEED``, else a new one; printed, to do it again."""
    chosen = int(os.environ.get("DP_SEED") or random.randrange(2**32))  # noqa: S311 - no secret
    print(f"DP_SEED={chosen}")  # noqa: T201
    return chosen


def kills(
    kind: type[Left], what: str, *arguments: Path | int | str, how: str = "killed"
) -> list[Left]:
    """Run ``<how>_<what>`` with these arguments; its reports."""
    command = [sys.executable, "-m", f"dp_assets_tests.faults.{how}_{what}"]
    environment = {k: v for k, v in os.environ.items() if k not in ("DP_STATE", "DP_CONFIG")}
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-SHOWN:]
    reports: list[dict[str, Any]] = json.loads(done.stdout)
    return [kind(**report) for report in reports]


def tell(found: Sequence[Kill], *, of: int) -> None:
    """Print every kill, and where most landed. Raises AssertionError when too few of ``of`` did."""
    for left in found:
        print(left)  # noqa: T201 - shown when the test fails, and by `pytest -s`
    landed = [left for left in found if left.killed]
    most = Counter(left.where for left in landed).most_common(MOST)
    print(f"{len(landed)} of {of} between the first write and the return")  # noqa: T201
    print(", ".join(f"{where}: {count}" for where, count in most))  # noqa: T201
    assert len(landed) >= HIT * of
