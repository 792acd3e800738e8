"""PyIceberg's exceptions, each with our verdict. A test fails when PyIceberg adds one."""

import errno
from collections.abc import Generator
from contextlib import contextmanager

from pyiceberg import exceptions as upstream

from dp_assets.core.errors import LakeError, OutcomeUnknownError, PermanentError, TransientError

VERDICTS: dict[type[Exception], type[LakeError]] = {
    upstream.CommitFailedException: TransientError,
    upstream.WaitingForLockException: TransientError,
    upstream.ServiceUnavailableError: TransientError,
    upstream.TooManyRequestsError: TransientError,
    upstream.AuthorizationExpiredError: TransientError,
    upstream.DynamoDbError: TransientError,
    upstream.GenericDynamoDbError: TransientError,
    upstream.ConditionalCheckFailedException: TransientError,
    upstream.CommitStateUnknownException: OutcomeUnknownError,
    upstream.ServerError: OutcomeUnknownError,
    upstream.RESTError: OutcomeUnknownError,
    upstream.NoSuchTableError: PermanentError,
    upstream.NoSuchIcebergTableError: PermanentError,
    upstream.NoSuchNamespaceError: PermanentError,
    upstream.NoSuchViewError: PermanentError,
    upstream.NoSuchIdentifierError: PermanentError,
    upstream.NoSuchPlanTaskError: PermanentError,
    upstream.NoSuchPropertyException: PermanentError,
    upstream.TableAlreadyExistsError: PermanentError,
    upstream.ViewAlreadyExistsError: PermanentError,
    upstream.NamespaceAlreadyExistsError: PermanentError,
    upstream.NamespaceNotEmptyError: PermanentError,
    upstream.ForbiddenError: PermanentError,
    upstream.UnauthorizedError: PermanentError,
    upstream.BadRequestError: PermanentError,
    upstream.OAuthError: PermanentError,
    upstream.ValidationError: PermanentError,
    upstream.ValidationException: PermanentError,
    upstream.NotInstalledError: PermanentError,
    upstream.SignError: PermanentError,
    upstream.ResolveError: PermanentError,
}

REMEDIES = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room within the quota",
    errno.EFBIG: "raise the limit on file size (ulimit -f)",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.EROFS: "mount the file system writable",
    errno.EACCES: "give this user the right to write there",
    errno.EPERM: "give this user the right to write there",
}


@contextmanager
def verdicts(doing: str, *, hint: str) -> Generator[None, None, None]:
    """Re-raise PyIceberg's errors and those of files as ours.

    Args:
        doing: names the action and its object.
        hint: what to do; for a file's error, what to do after its cause is gone.
    """
    try:
        yield
    except tuple(VERDICTS) as error:
        verdict = next(VERDICTS[c] for c in type(error).__mro__ if c in VERDICTS)
        raise verdict(f"{doing}: {error}", hint=hint) from error
    except OSError as error:
        raise _file_error(doing, error, hint=hint) from error


def _file_error(doing: str, error: OSError, *, hint: str) -> LakeError:
    """A local file's error is for a person; one without a number is an object store's."""
    if error.errno is None:
        return TransientError(f"{doing}: {error}", hint=hint)
    where = f" ({error.filename})" if error.filename else ""
    return PermanentError(
        f"{doing}: {(error.strerror or str(error)).lower()}{where}",
        hint=f"{REMEDIES.get(error.errno, 'dp doctor looks at disk and rights')}; then {hint}",
    )
