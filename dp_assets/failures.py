"""Where the product's errors become Dagster's, and where it is decided what is tried again."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg

from dp_assets.core.errors import LakeError, TransientError

RETRIES = 2
RETRY_AFTER_S = 10


@contextmanager
def step_boundary(**about: str) -> Generator[None, None, None]:
    """A LakeError fails the step with its hint; a transient one is tried twice more, later.

    Assets carry no ``RetryPolicy``: with one, Dagster also repeats a step that a person stopped
    with Ctrl-C (op_execution_error_boundary in 1.13).
    """
    try:
        yield
    except LakeError as error:
        failure = dg.Failure(
            description=str(error),
            metadata={"hint": error.hint, "verdict": type(error).__name__, **about},
            allow_retries=False,
        )
        failure.__cause__ = error
        if isinstance(error, TransientError):
            raise dg.RetryRequested(RETRIES, seconds_to_wait=RETRY_AFTER_S) from failure
        raise failure from error
