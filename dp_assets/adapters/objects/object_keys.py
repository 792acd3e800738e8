"""Which keys an object store takes: those that mean the same on a disk and in a bucket."""

import re

from dp_assets.core.errors import PermanentError

# Parts of plain ASCII that do not begin with a dot: neither ".." nor what systems leave around.
_KEY = re.compile(r"(?:[A-Za-z0-9_%=+-][A-Za-z0-9_.%=+-]*/)*[A-Za-z0-9_%=+-][A-Za-z0-9_.%=+-]*")
MAX_KEY_BYTES = 900  # S3 takes 1024, and a prefix comes before it


def is_key(text: str) -> bool:
    """Whether ``text`` may name an object."""
    return len(text) <= MAX_KEY_BYTES and _KEY.fullmatch(text) is not None


def require_key(key: str) -> str:
    """``key`` itself. Raises PermanentError when it may not name an object."""
    if not is_key(key):
        raise PermanentError(
            f"{key[:200]!r} is not a key", hint="relative, in ASCII, no part beginning with a dot"
        )
    return key


def require_prefix(prefix: str) -> str:
    """``prefix`` itself. Raises PermanentError when no key can begin with it."""
    if prefix:
        require_key(prefix.removesuffix("/"))
    return prefix
