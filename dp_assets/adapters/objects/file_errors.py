"""What the errors of a file system mean for whoever asked: will the same call help later or not."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dp_assets.core.errors import LakeError, PermanentError, TransientError
from dp_assets.ports.object_store import MissingObjectError

ABSENT = (errno.ENOENT, errno.ENOTDIR)
FULL = "make room there, or name another place; nothing half-written is left"
RIGHTS = "this user must be allowed to; change the rights of that folder, or name another place"
# What a person or a later time can change, by error number.
PERMANENT = {
    errno.ENOSPC: ("the disk is full", FULL),
    errno.EDQUOT: ("the disk quota is used up", FULL),
    errno.EROFS: ("the file system is read-only", "mount it writable, or name another place"),
    errno.EACCES: ("permission denied", RIGHTS),
    errno.EPERM: ("not permitted", RIGHTS + "; the file system must know hard links"),
    errno.EOPNOTSUPP: ("not supported there", "use a file system that knows hard links"),
    errno.EXDEV: ("it is on another file system", "keep everything below one mount point"),
    errno.EIO: ("the disk reports an input/output error", "see the kernel log; replace the disk"),
    errno.ELOOP: ("a symbolic link is in its place", "replace the link by what it points to"),
    errno.EFBIG: ("it is too large for that file system", "use another file system"),
}
TRANSIENT = {
    errno.EMFILE: ("too many open files in this process", "raise 'ulimit -n', or fewer workers"),
    errno.ENFILE: ("too many open files on this machine", "run it again later"),
    errno.ENOMEM: ("out of memory", "run it again when the machine has more"),
    errno.EAGAIN: ("busy", "run it again"),
    errno.EBUSY: ("busy", "run it again"),
    errno.ESTALE: ("the network file system lost it for the moment", "run it again"),
    errno.ETIMEDOUT: ("the network file system did not answer", "run it again"),
}


def file_error(error: OSError, *, doing: str, path: Path | str) -> LakeError:
    """The verdict on ``error``; ``doing`` is a verb, e.g. ``read``."""
    number = error.errno or 0
    if number in ABSENT:
        return MissingObjectError(f"{doing} {path}: it is not there", hint="was it deleted?")
    if number in TRANSIENT:
        reason, hint = TRANSIENT[number]
        return TransientError(f"{doing} {path}: {reason}", hint=hint)
    reason, hint = PERMANENT.get(number, (error.strerror or str(error), "see the system's log"))
    return PermanentError(f"{doing} {path}: {reason}", hint=hint)


@contextmanager
def file_errors(doing: str, path: Path | str) -> Generator[None, None, None]:
    """Raise what the file system says as TransientError or PermanentError.

    Raises MissingObjectError for what is not there.
    """
    try:
        yield
    except OSError as error:
        raise file_error(error, doing=doing, path=path) from error


def taken(location: str) -> PermanentError:
    """The refusal to overwrite."""
    return PermanentError(
        f"write {location}: there is a file already", hint="nothing was overwritten"
    )
