"""What the last sweep of each table for orphans left, on this machine: a small file a table.

It can be made again by the next sweep, so what is wrong with a file is as if it were not there.
"""

import json
from pathlib import Path

from dp_assets.adapters.local_files import replace_file
from dp_assets.ports.orphans import Unheld

FOLDER = "orphans"


def write_unheld(state_dir: Path, uuid: str, found: Unheld) -> None:
    """Remember it. Raises OSError when the folder cannot be written."""
    text = json.dumps({"at_ms": found.at_ms, "bytes": found.bytes})
    replace_file(_file(state_dir, uuid), text.encode())


def read_unheld(state_dir: Path, uuid: str) -> Unheld | None:
    """What was remembered of the table with that uuid; None when nothing was."""
    try:
        found = json.loads(_file(state_dir, uuid).read_bytes())
        return Unheld(int(found["at_ms"]), int(found["bytes"]))
    except (OSError, ValueError, TypeError, LookupError):
        return None


def _file(state_dir: Path, uuid: str) -> Path:
    """A uuid is whatever a metadata file says; as a name it must not leave the folder."""
    return state_dir / FOLDER / f"{uuid.encode().hex()}.json"
