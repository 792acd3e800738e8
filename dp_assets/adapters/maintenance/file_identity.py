"""One name for a file, however it is spelled, that errs towards two files being the same.

It is for the question whether anything still names a file. Judged the same: schemes (``file:/``,
``s3a``), doubled slashes, ``..``, symbolic links, percent signs, upper and lower case of a
bucket. Two files that this takes for one keep each other.
"""

import posixpath
from collections.abc import Callable
from functools import lru_cache
from os.path import realpath
from pathlib import Path
from urllib.parse import unquote

from dp_assets.adapters.local_files import is_local
from dp_assets.adapters.objects.s3_settings import bucket_and_key
from dp_assets.ports.closure import one_spelling

FOLDERS = 10_000


def file_identity() -> Callable[[str], str]:
    """The function; it remembers the folders it has resolved, so make one for each look."""

    @lru_cache(maxsize=FOLDERS)
    def real_folder(folder: str) -> str:
        return unquote(realpath(folder))

    def key(location: str) -> str:
        plain = one_spelling(location)
        if not is_local(plain):
            return _remote(plain)
        folder, _, name = plain.rpartition("/")
        if name in ("", ".", "..") or Path(plain).is_symlink():
            return unquote(realpath(plain))
        return f"{real_folder(folder or '/').rstrip('/')}/{unquote(name)}"

    return key


def can_be_reached(location: str) -> bool:
    """Whether ``location`` is of a scheme that files can be deleted through."""
    return is_local(location) or bucket_and_key(one_spelling(location)) is not None


def _remote(location: str) -> str:
    scheme, _, rest = location.partition("://")
    authority, _, path = rest.partition("/")
    # A path that begins with two slashes keeps them: POSIX lets these mean something.
    clean = posixpath.normpath(f"/{path.lstrip('/')}")
    return f"{scheme.lower()}://{authority.lower()}{unquote(clean)}"
