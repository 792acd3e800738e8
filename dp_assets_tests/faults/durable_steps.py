"""The durable steps of whatever a process does, seen by Python's profiler as they happen."""

import os
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

# What is called when something becomes durable or visible: of the system, and of SQLite.
DURABLE = frozenset({"fsync", "replace", "rename", "link", "unlink"})
COMMIT = "commit"
SWAP = "swap_pointer"  # its first line comes after the last question for the lease
BEFORE_SWAP = f"before {SWAP}"


class Steps:
    """Counts durable steps in all threads from :meth:`begin` on.

    Args:
        after: at which of them ``then`` is called, right there; 0: never.
        then: what happens there. It may return.

    Attributes:
        names: of the steps until now; besides, the moment right before a pointer's swap.
    """

    def __init__(self, *, after: int = 0, then: Callable[[], None] = lambda: None) -> None:
        self.names: list[str] = []
        self._after = after
        self._then = then

    def begin(self) -> None:
        threading.setprofile(self._see)
        sys.setprofile(self._see)

    @staticmethod
    def end() -> None:
        threading.setprofile(None)
        sys.setprofile(None)

    def _see(self, frame: FrameType, event: str, argument: object) -> None:
        name = _name(frame, event, argument)
        if name:
            self.names.append(name)
            if len(self.names) == self._after:
                self._then()


def _name(frame: FrameType, event: str, argument: Any) -> str:
    """Of a step; "" for anything else."""
    if event == "c_return" and _is_durable(argument):
        return f"{argument.__name__} in {frame.f_code.co_name}"
    return BEFORE_SWAP if event == "call" and frame.f_code.co_name == SWAP else ""


def _is_durable(called: Any) -> bool:
    of_system = getattr(called, "__module__", "") == os.name
    return called.__name__ == COMMIT or (of_system and called.__name__ in DURABLE)
