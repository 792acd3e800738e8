"""How much memory a piece of work took on top of what its process had before."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dp_assets.core.units import KIB

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# Sets the "high water mark" of the resident set to what is resident now; source: man 5
# proc_pid_clear_refs.
RESET_PEAK = "5"
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PeakMemory:
    """A measurement that was begun.

    A process that runs Dagster, or one operation after the other, holds memory that the work did
    not ask for: what it had at the beginning does not count.

    Attributes:
        base_bytes: resident at the beginning. Elsewhere than on Linux the mark cannot be reset:
            the peak until then, so that only what rises above it is seen.
    """

    base_bytes: int | None

    @classmethod
    def begin(cls) -> PeakMemory:
        """Begin anew; a measurement that is under way in the same process becomes too low."""
        with suppress(OSError):
            CLEAR.write_text(RESET_PEAK, encoding="ascii")
        return cls(_peak())

    def bytes(self) -> int | None:
        """The peak above the beginning, threads included; None where nobody counts."""
        peak = _peak()
        if peak is None or self.base_bytes is None:
            return None
        return max(0, peak - self.base_bytes)  # Linux counts by thread, and now and then late


def _peak() -> int | None:
    """The highest mark of the resident set since it was last reset."""
    with suppress(OSError):
        found = _PEAK.search(STATUS.read_text(encoding="ascii"))
        if found:
            return int(found[1]) * KIB
    return _of_the_whole_life()


def _of_the_whole_life() -> int | None:
    try:
        import resource
    except ImportError:  # Windows has none
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KIB
