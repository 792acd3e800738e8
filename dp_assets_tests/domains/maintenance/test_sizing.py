import pytest

from dp_assets.core.units import GIB, KIB, MIB
from dp_assets.domains.maintenance.health import size_counts
from dp_assets.domains.maintenance.pictures import bar, size_rows, size_strip
from dp_assets.domains.maintenance.sizing import is_small, squared_error, target_bytes
from dp_assets_tests.domains.maintenance.healths import table_with


@pytest.mark.parametrize(
    ("partition_bytes", "target_mib"),
    [(0, 128), (16 * GIB, 128), (16 * GIB + 1, 256), (32 * GIB, 256), (1024 * GIB, 512)],
)
def test_the_target_grows_with_the_partition(partition_bytes, target_mib):
    assert target_bytes(partition_bytes) == target_mib * MIB


def test_three_quarters_of_the_target_are_not_small():
    assert is_small(96 * MIB - 1, 128 * MIB)
    assert not is_small(96 * MIB, 128 * MIB)


@pytest.mark.parametrize(
    ("size", "error"), [(0, 1.0), (64 * MIB, 0.25), (128 * MIB, 0.0), (GIB, 0.0)]
)
def test_the_error_is_of_what_is_missing(size, error):
    assert squared_error(size, 128 * MIB) == error


def test_files_are_counted_by_powers_of_two():
    sizes = [0, KIB - 1, KIB, 2 * KIB - 1, 2 * KIB, 100 * MIB]
    counts = size_counts(sizes)
    assert counts[:4] == (2, 2, 1, 0)
    assert (len(counts), counts[17], sum(counts)) == (18, 1, 6)
    assert size_counts([]) == ()


def test_the_strip_has_every_file_in_its_place():
    sizes = [1, 64 * KIB, MIB, 8 * MIB, 32 * MIB, 128 * MIB, 512 * MIB]
    assert size_strip(table_with(size_counts=size_counts(sizes))) == "███████"
    for at, size in enumerate(sizes):
        strip = size_strip(table_with(size_counts=size_counts([size])))
        assert strip == "·" * at + "█" + "·" * (6 - at)
    below = [size - 1 for size in sizes[1:]]
    assert size_strip(table_with(size_counts=size_counts(below))) == "██████·"
    many = size_counts([1] * 1000 + [MIB])
    assert size_strip(table_with(size_counts=many)) == "█·▁····"


def test_rows_of_the_picture_add_up():
    health = table_with(size_counts=size_counts([3 * KIB] * 8 + [20 * KIB] * 2))
    rows = [(row.name, row.files, row.bar) for row in size_rows(health, width=8)]
    assert rows == [
        ("2 KiB up", 8, "████████"),
        ("4 KiB up", 0, ""),
        ("8 KiB up", 0, ""),
        ("16 KiB up", 2, "██"),
    ]
    assert list(size_rows(table_with(size_counts=()), width=8)) == []


@pytest.mark.parametrize(
    ("share", "text"), [(0, ""), (1, "████"), (0.5, "██"), (0.0001, "▏"), (0.28, "█▏")]
)
def test_a_bar_is_never_invisible(share, text):
    assert bar(share, width=4) == text
