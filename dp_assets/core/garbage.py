"""Python's collector of cycles, where a lot is made at once and all of it is kept."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_garbage_collection() -> Generator[None, None, None]:
    """No collection while much is made that is kept: each would traverse it all and find nothing.

    Frozen and released, all of it counts as old and is not traversed again at once. It does not
    stay frozen: nothing would ever collect it, and leaving it out at exit would make the process
    look faster than it is.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
        gc.unfreeze()
    finally:
        if enabled:
            gc.enable()
