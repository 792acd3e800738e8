"""Our errors in a run of Dagster: what is tried again, what never, and what the page says."""

from collections.abc import Callable, Mapping

import dagster as dg
import pytest

from dp_assets import failures
from dp_assets.core.errors import (
    ConfigurationError,
    LakeError,
    OutcomeUnknownError,
    PermanentError,
    TransientError,
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], tuple[int, str, Mapping]]:
    """Materialize an asset that always fails: attempts, description and metadata of its failure."""
    monkeypatch.setattr(failures, "RETRY_AFTER_S", 0)

    def materialize(error: Exception) -> tuple[int, str, Mapping]:
        attempts: list[int] = []

        @dg.asset
        def failing() -> None:
            attempts.append(1)
            with failures.step_boundary(table="raw.orders"):
                raise error

        result = dg.materialize([failing], raise_on_error=False)
        [data] = [e.step_failure_data for e in result.all_events if e.is_step_failure]
        said = data.user_failure_data
        return (
            len(attempts),
            (said.description or "") if said else "",
            said.metadata if said else {},
        )

    return materialize


@pytest.mark.parametrize(
    ("kind", "attempts"),
    [
        (TransientError, 3),
        (PermanentError, 1),
        (ConfigurationError, 1),
        (OutcomeUnknownError, 1),
    ],
)
def test_only_what_may_succeed_later_is_tried_again(
    run: Callable, kind: type[LakeError], attempts: int
):
    assert run(kind("commit to raw.orders lost a race", hint="run it again"))[0] == attempts


def test_a_permanent_failure_says_what_and_what_to_do(run: Callable):
    _, description, metadata = run(PermanentError("flights.csv is cut", hint="copy it again"))
    assert description == "flights.csv is cut\nhint: copy it again"
    assert metadata["verdict"].value == "PermanentError"
    assert metadata["hint"].value == "copy it again"
    assert metadata["table"].value == "raw.orders"


def test_a_bug_is_not_dressed_up(run: Callable):
    attempts, description, _ = run(ZeroDivisionError())
    assert (attempts, description) == (1, "")
