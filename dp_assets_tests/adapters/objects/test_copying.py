"""A few threads over many jobs: in order, bounded, stopped by the first error."""

import io
import os
import signal
from threading import Barrier, Event, Lock

import pytest

from dp_assets.adapters.objects.copying import (
    SMALL_BYTES,
    ByteBudget,
    StoppableReader,
    StoppedError,
    Workers,
    threads_for,
)
from dp_assets.core.errors import PermanentError


def test_results_come_in_the_order_of_the_jobs():
    assert Workers(lambda job, _stop: job * 2, count=3).run(range(50)) == [2 * n for n in range(50)]


def test_no_jobs_no_threads():
    assert Workers(lambda job, _stop: job, count=0).run([]) == []


def test_so_many_at_once():
    together = Barrier(3, timeout=10)
    assert len(Workers(lambda _job, _stop: together.wait(), count=3).run(range(6))) == 6


def test_the_first_error_is_raised_and_stops_the_others():
    started, lock = [], Lock()

    def work(job, stop):
        with lock:
            started.append(job)
        if job == 1:
            raise PermanentError("full", hint="make room")
        assert stop.wait(10)
        raise StoppedError

    with pytest.raises(PermanentError, match="full"):
        Workers(work, count=2).run(range(100))
    assert sorted(started) == [0, 1]


def test_ctrl_c_ends_every_thread():
    stopped = Event()

    def work(_job, stop):
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(10)
        stopped.set()

    with pytest.raises(KeyboardInterrupt):
        Workers(work, count=1).run(range(5))
    assert stopped.is_set()


def test_an_error_of_the_jobs_themselves_is_raised():
    def jobs():
        yield 1
        raise PermanentError("no more", hint="none")

    with pytest.raises(PermanentError, match="no more"):
        Workers(lambda job, _stop: job, count=2).run(jobs())


def test_a_reader_gives_up_between_two_pieces_and_counts():
    stop, counted = Event(), []
    reader = StoppableReader(io.BytesIO(b"abcdef"), stop, counted.append)
    assert reader.read(4) == b"abcd"
    stop.set()
    with pytest.raises(StoppedError):
        reader.read(4)
    assert counted == [4]


@pytest.mark.parametrize(("sizes", "most"), [([4, 4, 4], 2), ([9, 9], 1), ([100, 1], 1)])
def test_a_budget_bounds_what_is_held_together(sizes, most):
    budget, lock = ByteBudget(10), Lock()
    held, seen = [], []

    def work(size, _stop):
        with budget.taken(size):
            with lock:
                held.append(size)
                seen.append(len(held))
            with lock:
                held.remove(size)

    Workers(work, count=len(sizes)).run(sizes * 20)
    assert max(seen) <= most


@pytest.mark.parametrize(
    ("sizes", "places", "threads"),
    [
        ([10] * 100, ["/a", "file:///b"], 1),
        ([SMALL_BYTES] * 100, ["/a"], 4),
        ([10] * 99 + [100 * SMALL_BYTES], ["/a"], 4),
        ([10] * 100, ["/a", "s3://bucket/b"], 4),
        ([SMALL_BYTES] * 3, ["/a"], 3),
        ([], ["/a"], 0),
    ],
)
def test_threads_are_for_waiting_and_for_large_pieces(
    sizes: list[int], places: list[str], threads: int
):
    assert threads_for(sizes, places, most=4) == threads
