"""A disk that refuses, and ctrl-C, in every operation of maintenance (FAULTS 2, 19).

A clean failure; every row, tag and file is as before; nobody holds the table; then it works.
"""

import errno
import os
import resource
from collections.abc import Callable, Iterator

import pytest

from dp_assets.adapters.maintenance import group_rewriting
from dp_assets.core.errors import LakeError
from dp_assets.lakehouse import opened
from dp_assets.ports.maintenance import Operation
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets_tests.faults.killing import SOAK
from dp_assets_tests.faults.maintained_house import House, house, rows_of, run
from dp_assets_tests.faults.test_resources import limit

__all__ = ["house"]

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE)


class Refusing:
    """``os.fsync`` that fails the n-th time; with 0 it only counts."""

    def __init__(self, nth: int, error: Callable[[], BaseException]) -> None:
        self.real, self.nth, self.error, self.count = os.fsync, nth, error, 0

    def __call__(self, number: int) -> None:
        self.count += 1
        if self.count == self.nth:
            raise self.error()
        self.real(number)


def faults(steps: int) -> Iterator[tuple[int, Callable[[], BaseException]]]:
    """Which sync fails and how; all of them in `make soak`, else a few over the whole run."""
    kinds: list[Callable[[], BaseException]] = [
        *(lambda number=n: OSError(number, os.strerror(number)) for n in ERRORS),
        KeyboardInterrupt,
    ]
    chosen = range(1, steps + 1) if SOAK else (1 + steps // 2,)
    for nth in chosen:
        yield nth, kinds[nth % len(kinds)]
    yield 1 + 2 * steps // 3, KeyboardInterrupt


def check_as_before_then_works(house: House, operation: Operation) -> None:
    with opened(house.settings) as lake:
        assert rows_of(lake) == house.rows
        assert lake.leases.held() == ()
        assert run(lake, operation).startswith(("done", "nothing"))
        assert rows_of(lake) == house.rows


@pytest.mark.soak
@pytest.mark.parametrize("operation", list(PLANNERS))
def test_a_sync_that_fails(house: House, monkeypatch: pytest.MonkeyPatch, operation: Operation):
    house.put_back()
    counting = Refusing(0, KeyboardInterrupt)
    with monkeypatch.context() as patch, opened(house.settings) as lake:
        patch.setattr(os, "fsync", counting)
        assert run(lake, operation) == "done"
    assert counting.count
    for nth, error in faults(counting.count):
        house.put_back()
        raised = False
        with monkeypatch.context() as patch, opened(house.settings) as lake:
            patch.setattr(os, "fsync", Refusing(nth, error))
            try:
                run(lake, operation)
            except (LakeError, KeyboardInterrupt):
                raised = True
        where = f"{operation}, sync {nth} of {counting.count}: {error()!r}"
        print(where, "raised" if raised else "not noticed")  # noqa: T201
        check_as_before_then_works(house, operation)


def test_a_compaction_whose_files_outgrow_their_limit(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    """The stand-in for a full disk: the kernel refuses DuckDB's write half-way."""
    house.put_back()
    real = group_rewriting.GroupRewriter.rewrite

    def rewrite(*given: object) -> object:
        with limit(resource.RLIMIT_FSIZE, 100):
            return real(*given)  # pyright: ignore[reportArgumentType]

    with monkeypatch.context() as patch, opened(house.settings) as lake:
        patch.setattr(group_rewriting.GroupRewriter, "rewrite", rewrite)
        with pytest.raises(LakeError):
            run(lake, Operation.COMPACTION)
    check_as_before_then_works(house, Operation.COMPACTION)
