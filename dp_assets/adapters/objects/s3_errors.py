"""What the errors of an S3 client mean, in our words: never its text, which quotes the server.

A server may repeat the caller's access key in its answer, and the client repeats the answer.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager

from dp_assets.core.errors import (
    ConfigurationError,
    LakeError,
    PermanentError,
    TransientError,
)
from dp_assets.ports.object_store import MissingObjectError

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>|\(code: (\w+)\)")
_RETRIED = re.compile(r"after [1-9]\d* retries")
AGAIN = "run it again; if that goes on, see the server's health"
NO_SERVER = "check the endpoint, the network and that the server runs; then run it again"
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
KEYS_WRONG = {"SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "AuthFailure"}
FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "EntityTooLarge"}
BY_CODE: dict[str, tuple[type[LakeError], str, str]] = {
    **dict.fromkeys(KEYS_WRONG, (ConfigurationError, "the keys are wrong", "check the access key")),
    **dict.fromkeys(FULL, (PermanentError, "it is full", "make room, or raise the quota")),
    "ExpiredToken": (ConfigurationError, "the session token has expired", "get new credentials"),
    "RequestTimeTooSkewed": (
        PermanentError,
        "the clocks of this machine and of the server differ too much",
        "set this machine's clock",
    ),
    "NoSuchBucket": (PermanentError, "there is no such bucket", "make it, or name another one"),
    "PermanentRedirect": (ConfigurationError, "the bucket is in another region", "set s3.region"),
}
BY_STATUS: dict[int, tuple[type[LakeError], str, str]] = {
    401: (ConfigurationError, "the keys are wrong or missing", "check the access key"),
    403: (PermanentError, "access denied", "these credentials must be allowed to do that"),
    405: (PermanentError, "the server does not know that request", "use a server that does"),
    408: (TransientError, "the request took too long", AGAIN),
    409: (TransientError, "somebody else changes it right now", AGAIN),
    412: (TransientError, "it was changed by somebody else meanwhile", AGAIN),
    429: (TransientError, "the server is too busy", "use fewer workers; run it again"),
    503: (TransientError, "the server is too busy", "use fewer workers; run it again"),
}


def s3_error(error: Exception, *, doing: str, where: str) -> LakeError:
    """The verdict on ``error``; ``where`` is ``s3://bucket/key``."""
    text = str(error)
    status, code = _status(text), _code(text)
    if isinstance(error, FileNotFoundError) and code != "NoSuchBucket":
        return MissingObjectError(f"{doing} {where}: it is not there", hint="was it deleted?")
    kind, reason, hint = BY_CODE.get(code) or _by_status(status, code) or _without_answer(text)
    told = " ".join(str(part) for part in (status, code) if part)
    return kind(f"{doing} {where}: {reason}" + (f" ({told})" if told else ""), hint=hint)


@contextmanager
def s3_errors(doing: str, where: str) -> Generator[None, None, None]:
    """Raise what the client says as our errors, without their cause: its text is the server's."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise s3_error(error, doing=doing, where=where) from None


def repeated(error: Exception) -> bool:
    """Whether the client had asked more than once when it got this answer."""
    return _RETRIED.search(str(error)) is not None


def conflict(error: Exception) -> bool:
    """Whether two requests met (409), which is not yet "there is something" (412)."""
    return _status(str(error)) == 409


def _status(text: str) -> int:
    found = _STATUS.search(text)
    return int(found[1]) if found else 0


def _code(text: str) -> str:
    found = _CODE.search(text)
    return (found[1] or found[2]) if found else ""


def _by_status(status: int, code: str) -> tuple[type[LakeError], str, str] | None:
    if code in ("AccessDenied", "AllAccessDisabled"):
        return BY_STATUS[403]
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status >= 500:
        return TransientError, "the server fails", AGAIN
    if status >= 400 or code:
        return PermanentError, "the server refuses", "the words in brackets say why"
    return None


def _without_answer(text: str) -> tuple[type[LakeError], str, str]:
    if "without LOCATION" in text:
        return BY_CODE["PermanentRedirect"]
    if "169.254." in text or "credential" in text.lower():
        return ConfigurationError, "no credentials were found", "set s3.access-key-id, or AWS_*"
    if "certificate" in text.lower():
        return ConfigurationError, "the server's certificate is not trusted", "check the endpoint"
    if "Could not parse path" in text:
        return PermanentError, "that key cannot be addressed", "avoid '//', '.' and '..' in keys"
    if "kind: Timeout" in text or "TimedOut" in text:
        return TransientError, "no answer in time", f"{AGAIN}; deadline_seconds says how long"
    if "kind: Connect" in text:
        return TransientError, "no connection to the server", NO_SERVER
    return TransientError, "the connection broke, or the answer is not S3's", NO_SERVER
