"""A process that takes less memory, for work that promises to stay within little.

Two things of PyArrow 26 that are decided once, before it is used:

- It imports pandas wherever that is installed, to look whether a list is one of its own: 33 MiB.
- Its C++ has scratch memory from mimalloc, whichever pool it is told to use for the rest, and of
  that every thread that ever read keeps some: 50 MiB after the proof of a compaction.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

POOL = "ARROW_DEFAULT_MEMORY_POOL"


class _WithoutPandas(MetaPathFinder):
    """Pandas is not there."""

    def find_spec(self, fullname: str, path: object, target: object = None, /) -> None:
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is not used here", name=fullname)


@contextmanager
def lean_process() -> Generator[None, None, None]:
    """Around all that a process does; what is imported before stays as it is."""
    if "pyarrow" not in sys.modules:
        os.environ.setdefault(POOL, "system")
    finder = _WithoutPandas()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
