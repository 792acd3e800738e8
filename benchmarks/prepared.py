"""What a side finds in its state folder, made by a process of its own before the clock starts."""

import subprocess
import sys
from pathlib import Path

from benchmarks.measure import BenchmarkError, environment


def lakehouse(state: Path, *, tables: int) -> None:
    """An initialised lakehouse with so many tables of one row."""
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.small_lakehouse", str(tables)],
        env=environment(state),
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise BenchmarkError(f"no lakehouse was made: {made.stderr}")
