"""Documents of the repository as bytes: JSON that says when it was altered.

A document inside ``objects/`` is gzipped JSON, checked by the hash that names it. A document with
a key of its own is two lines of text: the JSON, and the SHA-256 of that first line.
"""

import gzip
import hashlib
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError, ObjectStore

T = TypeVar("T")

DAMAGED = "'dp verify' says what it breaks; another copy of the repository can put it back"
# A manifest of 10,000 tables packs into less than 1 MB; this only stops a bomb.
MAX_UNPACKED_BYTES = 4 << 30
_GZIP = 16 + zlib.MAX_WBITS


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(value: object) -> bytes:
    """A dataclass as one line of JSON."""
    return _adapter(type(value)).dump_json(value)


def from_json(kind: type[T], data: bytes, *, about: str) -> T:
    """The dataclass in ``data``; unknown keys are left out.

    Raises:
        DamagedObjectError: not JSON, or not of that kind.
    """
    try:
        return _adapter(kind).validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise DamagedObjectError(
            f"{about} is not a {kind.__name__}: {where} {first['msg']}".rstrip(), hint=DAMAGED
        ) from error


def pack(value: object) -> bytes:
    """Gzipped JSON; the same value gives the same bytes."""
    # A tenth larger than at level 6, in a third of the time.
    return gzip.compress(to_json(value), compresslevel=1, mtime=0)


def unpack(kind: type[T], data: bytes, *, about: str) -> T:
    """The way back. Raises DamagedObjectError."""
    try:
        unzip = zlib.decompressobj(_GZIP)
        text = unzip.decompress(data, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise DamagedObjectError(f"{about} does not unzip: {error}", hint=DAMAGED) from error
    if not unzip.eof:
        raise DamagedObjectError(f"{about} is cut short", hint=DAMAGED)
    return from_json(kind, text, about=about)


def checked(value: object) -> bytes:
    """JSON and its SHA-256, a line each; ``head -n 1 | head -c -1 | sha256sum`` checks it."""
    text = to_json(value)
    return text + b"\n" + _digest(text) + b"\n"


def has_checksum(data: bytes) -> bool:
    """Whether a document agrees with the checksum below it, whatever kind it is of."""
    lines = data.split(b"\n")
    return len(lines) == 3 and not lines[2] and _digest(lines[0]) == lines[1]


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()


def unchecked(
    kind: type[T], data: bytes, *, about: str, is_right: Callable[[T], bool] = lambda _: True
) -> T:
    """The way back. Raises DamagedObjectError when a single bit differs, or not ``is_right``."""
    if not has_checksum(data):
        raise DamagedObjectError(f"{about} does not agree with its checksum", hint=DAMAGED)
    found = from_json(kind, data.split(b"\n")[0], about=about)
    if not is_right(found):
        raise DamagedObjectError(f"{about} belongs to another place", hint=DAMAGED)
    return found


def read_either(
    store: ObjectStore,
    kind: type[T],
    keys: tuple[str, str],
    *,
    is_right: Callable[[T], bool] = lambda _: True,
) -> T | None:
    """The first whole one of two copies; None when neither is there.

    ``is_right`` tells a document from a whole one that belongs elsewhere. Raises
    DamagedObjectError when what is there is damaged.
    """
    problem: DamagedObjectError | None = None
    for key in keys:
        about = f"{store.address}/{key}"
        try:
            return unchecked(kind, store.read(key), about=about, is_right=is_right)
        except MissingObjectError:
            continue
        except DamagedObjectError as error:
            problem = error
    if problem:
        raise problem
    return None
