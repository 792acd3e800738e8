"""Integers lose the annotation that Spark stumbles over; nothing else in the file changes."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dp_assets.adapters.maintenance.plain_integers import remove_annotations
from dp_assets.adapters.maintenance.thrift_compact import Reader, Writer
from dp_assets.core.errors import PermanentError

QUERY = """
SELECT range::INTEGER AS i, range AS l, [range::INTEGER] AS li, MAP {range: {'a': range}} AS m,
       DATE '2020-01-01' AS d, now() AS tz, 1.5::DECIMAL(9, 2) AS dec, 'x' AS s, true AS b
FROM range(1000)
"""


def written(path: Path) -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({QUERY}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    return path


def annotations(path: Path) -> dict[str, str]:
    schema = pq.ParquetFile(path).schema
    columns = [schema.column(n) for n in range(len(schema))]
    return {c.path: str(c.converted_type) for c in columns}


def footer(path: Path) -> bytes:
    content = path.read_bytes()
    return content[-8 - int.from_bytes(content[-8:-4], "little") : -8]


def test_only_integers_lose_theirs(tmp_path: Path):
    path = written(tmp_path / "a.parquet")
    before, rows, size = annotations(path), pq.read_table(path), len(footer(path))
    assert before["i"] == "INT_32"
    assert before["l"] == "INT_64"
    remove_annotations(path)
    after = annotations(path)
    plain = {name for name in before if before[name].startswith("INT_")}
    assert plain == {"i", "l", "li.list.element", "m.key_value.key", "m.key_value.value.a"}
    assert {name: after[name] for name in plain} == dict.fromkeys(plain, "NONE")
    assert {n: a for n, a in after.items() if n not in plain} == {
        n: a for n, a in before.items() if n not in plain
    }
    assert pq.read_table(path).equals(rows)
    assert len(footer(path)) < size
    content = path.read_bytes()
    remove_annotations(path)
    assert path.read_bytes() == content


def test_narrow_and_unsigned_integers_keep_theirs(tmp_path: Path):
    path = tmp_path / "a.parquet"
    columns = {"u4": pa.uint32(), "u8": pa.uint64(), "i2": pa.int16(), "i1": pa.int8()}
    pq.write_table(pa.table({n: pa.array([1], kind) for n, kind in columns.items()}), path)
    before = path.read_bytes()
    remove_annotations(path)
    assert path.read_bytes() == before


def test_a_footer_is_written_back_as_it_was_read(tmp_path: Path):
    wide = pa.table({f"c{n}": pa.array([n, None]) for n in range(40)})
    pq.write_table(wide, tmp_path / "b.parquet", write_page_index=True)
    for path in (written(tmp_path / "a.parquet"), tmp_path / "b.parquet"):
        writer = Writer()
        writer.struct(Reader(footer(path)).struct())
        assert bytes(writer.content) == footer(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1",
        b"not parquet at all",
        b"PAR1\x00\x00\x00\x00\x00\xff\xff\xff\x7fPAR1",
        b"PAR1\x29\x01\x00\x00\x00PARE",
        b"PAR1\x29\x9c\x03\x00\x00\x00PAR1",
    ],
)
def test_what_is_no_parquet_is_left_alone(tmp_path: Path, content: bytes):
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    with pytest.raises(PermanentError, match="damaged"):
        remove_annotations(path)
    assert path.read_bytes() == content
