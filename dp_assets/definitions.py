"""The code location. Nothing is defined here; things are found, then given global policy."""

import gc
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from dp_assets.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """Everything under ``defs/``, run in this process: the engines do the parallel work."""
    load_settings()  # a bad lakehouse.yaml is one error with file and line, not a broken folder
    here = Path(__file__).parent
    with _no_garbage_collection(), warnings.catch_warnings():
        # Of its own internals, unless its own function calls them, and of what is pinned here.
        for kind in (dg.PreviewWarning, dg.BetaWarning):
            warnings.simplefilter("ignore", kind)
        # What dg.load_from_defs_folder does, without the pages of documentation that it makes of
        # every component there is: we have none, and they were a third of the load.
        tree = dg.ComponentTree.for_project(here)
        return dg.Definitions.merge(
            tree.build_defs(here / "defs"),
            dg.Definitions(component_tree=tree, executor=dg.in_process_executor),
        )


@contextmanager
def _no_garbage_collection() -> Generator[None, None, None]:
    """What is loaded is kept: a quarter of loading is collections that find nothing.

    Dagster goes on to make its repository of it. Frozen and released, all of it counts as old and
    is not traversed again at once. It does not stay frozen: nothing would ever collect it, and
    leaving it out at exit would make the process look faster than its loading is.
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
