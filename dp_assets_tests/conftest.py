"""What all tests share: with ``DP_CI=1`` a skip fails unless its reason is ``unavoidable: ...``."""

import os
from collections.abc import Generator

import pytest

from dp_assets_tests.services import (
    postgres,
    postgres_server,
    rest,
    s3,
    seaweed,
    seaweed_rest,
)

# Fixtures for every test.
__all__ = ["postgres", "postgres_server", "rest", "s3", "seaweed", "seaweed_rest"]

UNAVOIDABLE = "unavoidable:"


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn an avoidable skip into a failure; an expected failure is reported as a skip too."""
    if not report.skipped or hasattr(report, "wasxfail") or os.environ.get("DP_CI") != "1":
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not reason.removeprefix("Skipped: ").startswith(UNAVOIDABLE):
        report.outcome = "failed"
        report.longrepr = f"{reason}\nhint: DP_CI=1 allows only skips that begin '{UNAVOIDABLE}'"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test's own skip, in its body, its marks or its fixtures."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file's skip."""
    report = yield
    _refuse_skip(report)
    return report


# Files that take minutes, by measurement: started last they would keep one worker busy alone.
LONG = ("test_benchmarks.py", "faults/", "e2e/", "runbooks/", "recovery/", "cli/test_run.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; the Makefile keeps this order with ``--no-loadscope-reorder``."""
    items.sort(key=lambda item: not any(part in item.nodeid for part in LONG))
