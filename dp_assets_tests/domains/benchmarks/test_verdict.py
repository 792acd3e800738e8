import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.domains.benchmarks.verdict import BenchmarkVerdict, judge, passed
from dp_assets.ports.benchmarks import BenchmarkResult

FAST = BenchmarkResult("count", 2.0, seconds=(0.1,), rows=1)
SLOW = BenchmarkResult("count", 2.0, seconds=(3.0,), rows=1)
BROKEN = BenchmarkResult("count", 2.0, error="no such table")


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        pytest.param((1.0,), BenchmarkVerdict.PASS, id="below-what-is-expected"),
        pytest.param((2.0,), BenchmarkVerdict.PASS, id="exactly-what-is-expected"),
        pytest.param((2.001,), BenchmarkVerdict.SLOW, id="just-above"),
        pytest.param((4.0,), BenchmarkVerdict.SLOW, id="exactly-twice"),
        pytest.param((4.001,), BenchmarkVerdict.FAIL, id="above-twice"),
        pytest.param((1.0, 1.9, 50.0), BenchmarkVerdict.PASS, id="the-median-counts-not-the-worst"),
        pytest.param((), BenchmarkVerdict.FAIL, id="nothing-measured-is-no-pass"),
    ],
)
def test_a_median_is_judged_against_two_seconds(seconds, verdict):
    assert judge(BenchmarkResult("count", 2.0, seconds=seconds)) is verdict


def test_a_query_that_raised_fails_however_fast_it_was():
    assert judge(BenchmarkResult("count", 2.0, seconds=(0.1,), error="boom")) == "FAIL"


@pytest.mark.parametrize(
    ("results", "good"),
    [
        pytest.param([FAST] * 5, True, id="all"),
        pytest.param([FAST] * 4 + [SLOW], True, id="four-of-five-is-80-per-cent"),
        pytest.param([FAST] * 4 + [BROKEN], True, id="one-broken-of-five"),
        pytest.param([FAST] * 3 + [SLOW] * 2, False, id="slow-is-not-passed"),
    ],
)
def test_four_of_five_must_pass(results, good):
    assert passed(results) is good


def test_no_result_is_not_a_pass():
    with pytest.raises(PermanentError, match="no benchmark was measured"):
        passed([])
