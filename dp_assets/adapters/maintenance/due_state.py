"""What the last looks at tables found about maintenance, as one JSON file, replaced atomically.

It can be made again: without it, every table is looked at once more.
"""

import json
from pathlib import Path

from dp_assets.adapters.local_files import replace_file
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.ports.due_state import Decided, DueState

FORMAT = 1


def read_due(path: Path) -> DueState:
    """The state at ``path``; an empty one when there is none that can be read."""
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != FORMAT:
            return DueState()
        tables = {
            TableId(namespace, name): Decided(pointer, at_ms, next_ms)
            for namespace, name, pointer, at_ms, next_ms in document["tables"]
        }
        return DueState(str(document["settings"]), tables)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return DueState()


def write_due(path: Path, state: DueState) -> None:
    """Replace the state at ``path``.

    Raises PermanentError when the folder cannot be written or the disk is full.
    """
    tables = [
        (table.namespace, table.name, one.pointer, one.at_ms, one.next_ms)
        for table, one in sorted(state.tables.items())
    ]
    document = {"format": FORMAT, "settings": state.settings, "tables": tables}
    try:
        replace_file(path, json.dumps(document, separators=(",", ":")).encode())
    except OSError as error:
        raise PermanentError(
            f"cannot write {path}: {error}", hint="check the folder's rights and disk space"
        ) from error
