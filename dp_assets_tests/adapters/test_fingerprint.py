"""Equal content, equal name: whatever an engine left in the bytes that mean nothing."""

import pyarrow as pa
import pytest

from dp_assets.adapters.fingerprint import fingerprint

PINNED = "sha256-columns-1:b1f3f0dd5ba44cd59422b5bf7e39e5224ecfa7de4e581092eb826809d50fa75e"


def under_null(garbage: int) -> pa.Array:
    """``[1, null, 3]`` with ``garbage`` where the null is."""
    values = pa.array([1, garbage, 3], pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.int32(), 3, [pa.py_buffer(b"\x05"), values])


def behind_last_bit(garbage: int) -> pa.Array:
    """``[True, False, True]`` with ``garbage`` in the five bits behind."""
    return pa.Array.from_buffers(pa.bool_(), 3, [None, pa.py_buffer(bytes([0b101 | garbage]))])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(under_null(7), under_null(9), id="bytes-under-a-null"),
        pytest.param(behind_last_bit(0), behind_last_bit(0xF8), id="bits-behind-the-last"),
        pytest.param(pa.array([1, 2, 3]).slice(1), pa.array([2, 3]), id="a-slice"),
        pytest.param(pa.array(["a", "b", None]).slice(1), pa.array(["b", None]), id="strings"),
        pytest.param(
            pa.chunked_array([[1], [], [2, 3]], pa.int64()), pa.array([1, 2, 3]), id="chunks"
        ),
        pytest.param(
            pa.chunked_array([], pa.int64()), pa.chunked_array([[]], pa.int64()), id="no-rows"
        ),
    ],
)
def test_the_same_content_has_the_same_name(one: pa.Array, other: pa.Array):
    assert fingerprint(pa.table({"x": one})) == fingerprint(pa.table({"x": other}))


def test_every_difference_has_another_name():
    tables = [
        pa.table({"x": [1, 2]}),
        pa.table({"x": [2, 1]}),
        pa.table({"x": [1, 2, 2]}),
        pa.table({"x": [1, None]}),
        pa.table({"x": [None, 1]}),
        pa.table({"x": pa.array([1, 2], pa.int32())}),
        pa.table({"y": [1, 2]}),
        pa.table({"x": ["12", ""]}),
        pa.table({"x": ["1", "2"]}),
        pa.table({"x": [True, False]}),
        pa.table({"x": [1, 2], "y": [1, 2]}),
        pa.table({"x": [1], "y": [2]}),
        pa.table({"x": pa.array([], pa.int64())}),
    ]
    assert len({fingerprint(table) for table in tables}) == len(tables)


def test_the_name_says_its_function_and_never_changes():
    rows = pa.table({"x": pa.array([1, None], pa.int32()), "y": ["a", "b"], "z": [True, None]})
    assert fingerprint(rows) == PINNED
