"""The code location. Nothing is defined here; things are found, then given global policy."""

from pathlib import Path

import dagster as dg

from dp_assets.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """Everything under ``defs/``, run in this process: the engines do the parallel work."""
    load_settings()  # a bad lakehouse.yaml is one error with file and line, not a broken folder
    found = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(found, dg.Definitions(executor=dg.in_process_executor))
