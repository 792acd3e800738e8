"""Where each file of a table goes when the table moves: a rule that needs no file to decide.

The longest root that holds a file wins. A file outside every root goes to
``<new location>/external/<hash of its folder>/<name>``, so that files of one name from two folders
never meet. Percent signs are kept: Iceberg's writers put them literally into paths.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import one_spelling

# Source: Iceberg's TableProperties; the third and fourth are older names of the first.
PATH_PROPERTIES = (
    "write.data.path",
    "write.metadata.path",
    "write.object-storage.path",
    "write.folder-storage.path",
)
EXTERNAL = "external"
_HASH_DIGITS = 12


class PathMap:
    """Old location -> new location of the files of one table.

    Args:
        roots: old folder -> new folder.
        location: of the table when it has moved, for what is outside all roots.
    """

    def __init__(self, roots: Mapping[str, str], *, location: str) -> None:
        self.location = location.rstrip("/")
        spelled = {_folder(old): new.rstrip("/") for old, new in roots.items()}
        self._roots = sorted(spelled.items(), key=lambda pair: len(pair[0]), reverse=True)

    def __call__(self, path: str) -> str:
        """Where ``path`` is afterwards, whether or not there is such a file."""
        old = one_spelling(path)
        for root, new in self._roots:
            if old.startswith(f"{root}/"):
                return new + old[len(root) :]
        folder, _, name = old.rpartition("/")
        return f"{self.location}/{EXTERNAL}/{_hash(folder)}/{name}"

    def folder(self, path: str) -> str:
        """Where a folder that the table writes to is afterwards."""
        old = _folder(path)
        return next(
            (
                new + old[len(root) :]
                for root, new in self._roots
                if f"{old}/".startswith(f"{root}/")
            ),
            f"{self.location}/{EXTERNAL}/{_hash(old)}",
        )


def path_map(metadata: Mapping[str, Any], location: str) -> PathMap:
    """The rule for the table of ``metadata`` (Iceberg's JSON), moved to ``location``."""
    home, new = _folder(metadata["location"]), location.rstrip("/")
    roots = {home: new}
    properties: Mapping[str, str] = metadata.get("properties") or {}
    for name in PATH_PROPERTIES:
        if value := properties.get(name):
            outside = _folder(value)
            if not f"{outside}/".startswith(f"{home}/"):
                roots[outside] = f"{new}/{EXTERNAL}/{_hash(outside)}"
    return PathMap(roots, location=new)


def targets(paths: Iterable[str], to: PathMap) -> dict[str, str]:
    """New location of every one of ``paths``, by its spelling there.

    Raises PermanentError when two files would become one.
    """
    found: dict[str, str] = {}
    source: dict[str, str] = {}
    for path in paths:
        found[path] = target = to(path)
        other = source.setdefault(target, path)
        if one_spelling(other) != one_spelling(path):
            raise PermanentError(
                f"{other} and {path} would both become {target}",
                hint="this table can be restored in place only: 'dp undrop'",
            )
    return found


def _folder(location: str) -> str:
    return one_spelling(location).rstrip("/")


def _hash(folder: str) -> str:
    return hashlib.sha256(folder.encode()).hexdigest()[:_HASH_DIGITS]
