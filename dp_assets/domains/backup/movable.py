"""Whether the files of a table can be told apart at other paths, said while a point is made."""

from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup.path_map import path_map, targets
from dp_assets.ports.closure import TableClosure

ANYWHERE = "/elsewhere"  # whether files collide does not depend on where they go


def colliding_paths(closure: TableClosure) -> str:
    """Why two files of the table would become one if it were moved; "" when none would."""
    if not isinstance(closure.metadata.get("location"), str):
        return "its metadata names no location"
    try:
        targets((file.path for file in closure.files), path_map(closure.metadata, ANYWHERE))
    except PermanentError as error:
        return error.what
    return ""
