"""The folders that a table writes to, and whether anything else is in them. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dp_assets.domains.maintenance.freed import LOCATIONS

Json = Mapping[str, Any]
Key = Callable[[str], str]


def folders_of(metadata: Json, pointer: str) -> Iterator[str]:
    """All folders of a table as it spells them, that of its metadata file included."""
    properties: Mapping[str, str] = metadata.get("properties") or {}
    named = (metadata.get("location"), *map(properties.get, LOCATIONS))
    for folder in (*named, pointer.rpartition("/")[0]):
        if folder:
            yield folder.rstrip("/") or "/"


def outermost(folders: Iterable[str], key: Key) -> dict[str, str]:
    """``folders`` by their keys, without those inside another one."""
    spelled: dict[str, str] = {}
    for folder in folders:
        spelled.setdefault(folder_key(folder, key), folder)
    return {
        name: folder
        for name, folder in spelled.items()
        if not any(other != name and is_below(name, other) for other in spelled)
    }


def folder_key(folder: str, key: Key) -> str:
    """The key of a folder, without a slash at its end."""
    return key(folder.rstrip("/") or "/").rstrip("/")


def is_below(name: str, folder: str) -> bool:
    """Whether the file or folder of key ``name`` is in that of key ``folder``, or is it."""
    return name == folder or name.startswith(f"{folder}/")


def why_too_wide(own: Mapping[str, str], kept: Mapping[str, str]) -> str:
    """Why files of others are certainly in the table's folders; "" when that is not certain.

    Args:
        own: the table's folders by key.
        kept: keys of places that no table may contain, and what each is.
    """
    for name, folder in own.items():
        if not path_part(name).strip("/"):
            return f"its folder {folder} is a whole bucket or disk"
        for place, what in kept.items():
            if is_below(place, name):
                return f"its folder {folder} contains {what}"
    return ""


def why_shared(own: Mapping[str, str], others: Iterable[str], table: object) -> str:
    """Why the files in the table's folders may be another's; "" when they are apart.

    Args:
        own: the table's folders by key.
        others: keys of the folders of another table.
        table: that one.
    """
    for other in others:
        for name, folder in own.items():
            if is_below(name, other) or is_below(other, name):
                return f"it shares the folder {folder} with {table}"
    return ""


def path_part(name: str) -> str:
    """A key without scheme and authority: what two names of one store still have in common."""
    scheme, separator, rest = name.partition("://")
    return f"/{rest.partition('/')[2]}" if separator else scheme
