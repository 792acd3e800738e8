"""How fast is fast enough: a verdict per query, and one for the whole set."""

from collections.abc import Sequence
from enum import StrEnum

from dp_assets.core.errors import PermanentError
from dp_assets.ports.benchmarks import BenchmarkResult

QUERIES = ("count", "aggregation", "time_filter", "join", "hourly_percentile")
SLOW_UP_TO = 2.0


class BenchmarkVerdict(StrEnum):
    """PASS: within what is expected. SLOW: within twice that. FAIL: above, or it raised."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    SLOW = "SLOW"
    FAIL = "FAIL"


def judge(result: BenchmarkResult) -> BenchmarkVerdict:
    """Compare the median with what is expected; both limits are inclusive."""
    measured = result.median_seconds
    if measured is None or result.error is not None:
        return BenchmarkVerdict.FAIL
    if measured <= result.expected_seconds:
        return BenchmarkVerdict.PASS
    if measured <= SLOW_UP_TO * result.expected_seconds:
        return BenchmarkVerdict.SLOW
    return BenchmarkVerdict.FAIL


def passed(results: Sequence[BenchmarkResult], share: float = 0.8) -> bool:
    """Whether at least ``share`` of the queries are PASS.

    Raises:
        PermanentError: there is nothing to judge, which is not a pass.
    """
    if not results:
        raise PermanentError(
            "no benchmark was measured",
            hint="materialize benchmarks/results; a run that was interrupted is not compared",
        )
    good = sum(judge(r) is BenchmarkVerdict.PASS for r in results)
    return good >= share * len(results)
