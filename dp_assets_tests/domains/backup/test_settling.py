"""Settling beside the writing: when it happens, and what becomes of its errors."""

from threading import Event

import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup.settling import Settling


class Disk:
    """Counts; is held up until it is let go."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.may_end = Event()

    def settle(self) -> None:
        self.begun.append(1)
        self.may_end.wait()


def test_it_is_asked_for_every_so_many_bytes_and_never_twice_at_once():
    disk = Disk()
    with Settling(disk.settle, every_bytes=10) as settling:
        settling.wrote(9)
        assert not disk.begun
        settling.wrote(1)
        for _ in range(5):
            settling.wrote(100)
        disk.may_end.set()
    assert len(disk.begun) == 1


def settled(problem: BaseException | None = None) -> None:
    """Something is written and cannot be settled; then comes ``problem``."""

    def settle() -> None:
        raise PermanentError("the disk reports an input/output error", hint="replace it")

    with Settling(settle, every_bytes=1) as settling:
        settling.wrote(1)
        if problem:
            raise problem


@pytest.mark.parametrize("problem", [None, PermanentError("an object is damaged", hint="verify")])
def test_an_error_ends_the_block_even_when_something_else_went_wrong(problem):
    with pytest.raises(PermanentError, match="input/output"):
        settled(problem)


def test_an_error_does_not_hide_that_a_person_wants_to_stop():
    with pytest.raises(KeyboardInterrupt):
        settled(KeyboardInterrupt())
