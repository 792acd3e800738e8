"""Texts that are used and never shown, and addresses that are shown without their password."""

import re
from pathlib import Path

HIDDEN = "***"

_SECRET_NAME = re.compile(
    r"passw(or)?d|pwd|secret|token|credential|authorization|signature|private"
    r"|connection-string|(^|[._-])(key|sas)($|[._-])",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/+")
_QUERY_ITEM = re.compile(r"([?&;])([^?&;=]+)=([^&;#]*)")


class Secret:
    """A text whose every display is ``***``; `reveal` is the one way to the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the call that needs it and for nothing else."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


class Address(str):
    """A URI that works as the text it is; ``repr`` and `redacted` hide what must not be shown.

    Messages use `redacted`: an f-string of the address itself contains its password.
    """

    __slots__ = ()

    @property
    def redacted(self) -> str:
        """The address for people: password and secret parameters are ``***``."""
        return redact(self)

    def __repr__(self) -> str:
        return repr(self.redacted)


def names_secret(name: str) -> bool:
    """Whether a property of this name usually holds a secret, e.g. ``s3.secret-access-key``."""
    return _SECRET_NAME.search(name) is not None


def redact(text: str) -> str:
    """``text`` without the password of its user part and the secrets of its query.

    Made for addresses, and safe on any text: where the end of a password is in doubt, more is
    hidden. A user part without password is a token in http, a bucket's ``name@region`` elsewhere.
    """
    shown = _QUERY_ITEM.sub(_hide_item, text)
    user_part, at, rest = shown.rpartition("@")
    if not at:
        return shown
    scheme = _SCHEME.search(user_part)
    start = scheme.end() if scheme else 0
    name, colon, _ = user_part[start:].partition(":")
    if colon:
        return f"{user_part[:start]}{name}:{HIDDEN}@{rest}"
    is_http = scheme is not None and scheme[0].startswith("http")
    return f"{user_part[:start]}{HIDDEN}@{rest}" if is_http else shown


def _hide_item(item: re.Match[str]) -> str:
    mark, name, value = item.groups()
    return f"{mark}{name}={HIDDEN if names_secret(name) else value}"


def read_secret_file(path: Path) -> str:
    """The text of a secret's file without its last line break.

    Raises ValueError, naming the file and never its content, when there is no text to read.
    """
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"secret file {path} is not text in UTF-8") from None
    except OSError as error:
        raise ValueError(f"secret file {path}: {error.strerror or 'cannot be read'}") from None
    if not text:
        raise ValueError(f"secret file {path} is empty")
    return text
