import errno

import pytest
from pyiceberg import exceptions as upstream

from dp_assets.adapters.pyiceberg_errors import VERDICTS, verdicts
from dp_assets.core.errors import LakeError, OutcomeUnknownError, PermanentError, TransientError


def test_every_pyiceberg_error_has_a_verdict():
    assert {v for v in vars(upstream).values() if isinstance(v, type)} == set(VERDICTS)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (upstream.CommitFailedException("stale"), TransientError),
        (upstream.CommitStateUnknownException("504"), OutcomeUnknownError),
        (upstream.NoSuchTableError("raw.x"), PermanentError),
        (upstream.ForbiddenError("no"), PermanentError),
        (OSError(errno.ENOSPC, "No space left on device", "/lake/x.parquet"), PermanentError),
        (OSError("AWS Error SLOW_DOWN"), TransientError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_becomes_its_verdict(error: Exception, verdict: type[LakeError]):
    with (
        pytest.raises(verdict, match=r"^write raw\.x: ") as raised,
        verdicts("write raw.x", hint="h"),
    ):
        raise error
    assert raised.value.__cause__ is error


def test_a_subclass_of_an_error_gets_the_nearest_verdict():
    class Newer(upstream.CommitFailedException):
        pass

    with pytest.raises(TransientError), verdicts("write raw.x", hint="h"):
        raise Newer("stale")


def test_a_full_disk_says_which_file_and_what_to_do():
    full = OSError(errno.ENOSPC, "No space left on device", "/lake/x.parquet")
    with pytest.raises(PermanentError) as raised, verdicts("write raw.x", hint="run it again"):
        raise full
    assert str(raised.value) == (
        "write raw.x: no space left on device (/lake/x.parquet)\n"
        "hint: make room on the disk; then run it again"
    )


def test_a_bug_stays_a_bug():
    with pytest.raises(ZeroDivisionError), verdicts("write raw.x", hint="h"):
        raise ZeroDivisionError
