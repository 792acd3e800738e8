"""Where everything is in a repository: the keys, and nothing else.

The format is described for people in ``docs/formats/repository.md``.
"""

import re
from collections.abc import Iterable

FORMAT = 1
DESCRIPTION = "repository.json"
DESCRIPTION_COPY = "repository.copy.json"
OBJECTS = "objects/"
POINTS = "points/"
CONDEMNED = "condemned/"
PINS = "pins/"
PROOFS = "proofs/"
RECIPIENTS = "recipients/"
LEASES = "leases/"

CLAIM = "claim.json"
RECORD = "point.json"
RECORD_COPY = "point.copy.json"
MANIFEST = "manifest.json.gz"
MANIFEST_COPY = "manifest.copy.json.gz"
PRUNED = "pruned.json"
SEALED_SUFFIX = ".age"

_POINT_KEY = re.compile(r"points/(\d{8,})/(.+)")
_OBJECT = re.compile(r"objects/([0-9a-f]{2})/(\1[0-9a-f]{62})")
_NUMBERED = re.compile(r"\w+/(\d{8,})(?:/\d+)?\.json")


def object_key(name: str) -> str:
    """``objects/<first two digits>/<name>``: 256 folders share the objects evenly."""
    return f"{OBJECTS}{name[:2]}/{name}"


def object_name(key: str) -> str | None:
    """The name in the key of an object; None for every other key."""
    found = _OBJECT.fullmatch(key)
    return found[2] if found else None


def point_key(number: int, file: str) -> str:
    """A file of a point."""
    return f"{POINTS}{number:08d}/{file}"


def point_of(key: str) -> tuple[int, str] | None:
    """The number and the file of a key below ``points/``; None for anything foreign."""
    found = _POINT_KEY.fullmatch(key)
    return (int(found[1]), found[2]) if found else None


def numbered_key(prefix: str, number: int) -> str:
    """``condemned/00000007.json`` and the like."""
    return f"{prefix}{number:08d}.json"


def number_of(key: str) -> int | None:
    """The number in a key made by :func:`numbered_key` or :func:`proof_key`."""
    found = _NUMBERED.fullmatch(key)
    return int(found[1]) if found else None


def proof_key(point: int, at_ms: int) -> str:
    """The outcome of a drill of ``point``."""
    return f"{PROOFS}{point:08d}/{at_ms}.json"


def proofs_of(point: int) -> str:
    """What the keys of all proofs of ``point`` begin with."""
    return f"{PROOFS}{point:08d}/"


def next_number(taken: Iterable[int]) -> int:
    """One above the highest; never a gap, so that "latest" is the highest number."""
    return max(taken, default=0) + 1
