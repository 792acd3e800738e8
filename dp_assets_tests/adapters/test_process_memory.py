"""The peak of a piece of work, in this very process."""

import mmap

import pytest

from dp_assets.adapters import process_memory
from dp_assets.adapters.process_memory import PeakMemory
from dp_assets.core.units import MIB

SIZE = 96 * MIB


def use_memory():
    """Given back to the system at the end, as not all memory of Python is."""
    with mmap.mmap(-1, SIZE) as memory:
        for at in range(0, SIZE, mmap.PAGESIZE):
            memory[at] = 1


def test_a_peak_counts_although_the_memory_was_given_back():
    begun = PeakMemory.begin()
    use_memory()
    assert SIZE // 2 < begun.bytes() < 2 * SIZE


def test_what_was_before_does_not_count():
    with mmap.mmap(-1, SIZE) as held:
        for at in range(0, SIZE, mmap.PAGESIZE):
            held[at] = 1
        begun = PeakMemory.begin()
        if begun.base_bytes is None or not process_memory.CLEAR.exists():
            pytest.skip("this system does not reset the mark: needs Linux's /proc/self/clear_refs")
        assert begun.base_bytes > SIZE
        assert begun.bytes() < SIZE // 2


def test_elsewhere_what_rises_above_the_life_before_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(process_memory, "CLEAR", tmp_path / "no" / "clear_refs")
    monkeypatch.setattr(process_memory, "STATUS", tmp_path / "status")
    use_memory()
    begun = PeakMemory.begin()
    assert begun.base_bytes > SIZE
    use_memory()
    assert begun.bytes() < SIZE // 2
