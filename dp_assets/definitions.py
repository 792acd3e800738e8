"""The code location. Nothing is defined here; things are found, then given global policy."""

import warnings
from pathlib import Path

import dagster as dg

from dp_assets.core.garbage import no_garbage_collection
from dp_assets.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """Everything under ``defs/``, run in this process: the engines do the parallel work."""
    load_settings()  # a bad lakehouse.yaml is one error with file and line, not a broken folder
    here = Path(__file__).parent
    # A quarter of loading is collections that find nothing; Dagster makes its repository of it all.
    with no_garbage_collection(), warnings.catch_warnings():
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
