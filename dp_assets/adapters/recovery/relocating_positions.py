"""Position delete files for files that have moved: Parquet and ORC in, Parquet out.

The specification wants rows sorted by path, then position. New paths may sort otherwise than old
ones, so the rows are sorted again: in groups of whole paths, each group collected in one pass over
the row groups that hold it. Usually old and new order agree and every row is read once; never
more than ``GROUP_ROWS`` rows, or those of one data file, are in memory.
"""
# Neither PyArrow's Parquet nor its ORC module is typed.
# pyright: reportUnknownMemberType=false, reportArgumentType=false

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.orc as orc
import pyarrow.parquet as pq

GROUP_ROWS = 1 << 19  # about 70 MB with what sorting needs
BATCH_ROWS = 1 << 16
PATH, POS, RANK = "file_path", "pos", "_rank"
# Reserved field ids of the specification, "Reserved Field IDs".
PATH_ID, POS_ID = 2147483546, 2147483545
_FIELD_ID = "PARQUET:field_id"


@dataclass(frozen=True, slots=True)
class NewPositions:
    """What a manifest says of the new file; the paths are None for a file without rows."""

    size: int
    first_path: str | None
    last_path: str | None
    split_offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Ranked:
    """New paths in order; by old path its place in them; per row group the places in it."""

    paths: list[str]
    rank: dict[str, int]
    rows: Counter[int]
    row_groups: list[frozenset[int]]


def rewrite_parquet(source: Path, target: Path, *, to: Callable[[str], str]) -> NewPositions:
    """Write ``source`` to ``target`` with every path mapped by ``to``; field ids stay."""
    with pq.ParquetFile(source) as file:
        ranked = _rank(file, to)
        schema = _with_dictionary(file.schema_arrow)
        with pq.ParquetWriter(
            target, schema, compression=_codec(file), store_schema=False
        ) as writer:
            # Without Arrow's own schema PyArrow leaves Iceberg's out, too.
            writer.add_key_value_metadata(schema.metadata or {})
            for first, end in _groups(ranked):
                writer.write_table(_group(file, ranked, schema, first, end), GROUP_ROWS)
    return NewPositions(
        size=target.stat().st_size,
        first_path=ranked.paths[0] if ranked.paths else None,
        last_path=ranked.paths[-1] if ranked.paths else None,
        split_offsets=_offsets(target),
    )


def orc_to_parquet(source: Path, target: Path) -> None:
    """The same rows as Parquet: PyArrow would lose the field ids of ORC, readers need them.

    The deleted rows themselves, which no reader needs, are left out.
    """
    schema = pa.schema(
        [
            pa.field(PATH, pa.string(), nullable=False, metadata={_FIELD_ID: str(PATH_ID)}),
            pa.field(POS, pa.int64(), nullable=False, metadata={_FIELD_ID: str(POS_ID)}),
        ],
        metadata={"delete-type": "position"},
    )
    file = orc.ORCFile(source)
    with pq.ParquetWriter(target, schema, compression="zstd", store_schema=False) as writer:
        writer.add_key_value_metadata(schema.metadata)
        for stripe in range(file.nstripes):
            batch = file.read_stripe(stripe, columns=[PATH, POS])
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))


def _rank(file: pq.ParquetFile, to: Callable[[str], str]) -> _Ranked:
    """One pass over the paths alone."""
    counted: Counter[str] = Counter()
    holds: list[set[str]] = []
    for row_group in range(file.num_row_groups):
        found: set[str] = set()
        for batch in file.iter_batches(BATCH_ROWS, row_groups=[row_group], columns=[PATH]):
            counts: Any = pc.value_counts(batch.column(0))
            for count in counts.to_pylist():
                counted[count["values"]] += count["counts"]
                found.add(count["values"])
        holds.append(found)
    new = {path: to(path) for path in counted}
    paths = sorted(set(new.values()))  # by code points, which is also the order of UTF-8 bytes
    place = {path: i for i, path in enumerate(paths)}
    rank = {old: place[path] for old, path in new.items()}
    rows: Counter[int] = Counter()
    for old, count in counted.items():
        rows[rank[old]] += count
    return _Ranked(paths, rank, rows, [frozenset(rank[p] for p in found) for found in holds])


def _groups(ranked: _Ranked) -> Iterator[tuple[int, int]]:
    """Ranges of paths whose rows fit into memory together."""
    first = rows = 0
    for at in range(len(ranked.paths)):
        if rows and rows + ranked.rows[at] > GROUP_ROWS:
            yield first, at
            first, rows = at, 0
        rows += ranked.rows[at]
    if rows:
        yield first, len(ranked.paths)


def _group(
    file: pq.ParquetFile, ranked: _Ranked, schema: pa.Schema, first: int, end: int
) -> pa.Table:
    """The rows of the paths from ``first`` to before ``end``, sorted."""
    wanted = range(first, end)
    row_groups = [
        i for i, found in enumerate(ranked.row_groups) if any(rank in found for rank in wanted)
    ]
    batches = [
        kept
        for batch in file.iter_batches(BATCH_ROWS, row_groups=row_groups)
        if (kept := _within(batch, ranked, first, end)).num_rows
    ]
    table = pa.Table.from_batches(batches)
    table = table.take(pc.sort_indices(table, [(RANK, "ascending"), (POS, "ascending")]))
    ranks = table.column(RANK).combine_chunks()
    names = _strings(ranked.paths[first:end])
    paths = pa.DictionaryArray.from_arrays(ranks, names)
    table = table.drop_columns([RANK])
    return table.set_column(schema.get_field_index(PATH), schema.field(PATH), paths).cast(schema)


def _within(batch: pa.RecordBatch, ranked: _Ranked, first: int, end: int) -> pa.RecordBatch:
    """The rows of these paths, with the place of their path among them instead of the path."""
    at = batch.schema.get_field_index(PATH)
    coded: Any = pc.dictionary_encode(batch.column(at))
    places = [ranked.rank[path] - first for path in coded.dictionary.to_pylist()]
    rank = _ints(places).take(coded.indices)
    slim = batch.set_column(at, PATH, pa.nulls(batch.num_rows)).append_column(RANK, rank)
    inside = _ints([0 <= place < end - first for place in places]).cast(pa.bool_())
    return slim.filter(inside.take(coded.indices))


def _ints(values: Sequence[int]) -> pa.Array:
    """PyArrow's own way from a list imports pandas where it is installed: 45 MB of memory."""
    return pa.Array.from_buffers(pa.int32(), len(values), [None, pa.py_buffer(array("i", values))])


def _strings(values: list[str]) -> pa.Array:
    """As :func:`_ints`."""
    encoded = [value.encode() for value in values]
    ends = array("i", accumulate(map(len, encoded), initial=0))
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def _with_dictionary(schema: pa.Schema) -> pa.Schema:
    """The file's schema with paths as a dictionary: in the file that makes no difference."""
    at = schema.get_field_index(PATH)
    return schema.set(at, schema.field(at).with_type(pa.dictionary(pa.int32(), pa.string())))


def _codec(file: pq.ParquetFile) -> str:
    if not file.num_row_groups:
        return "zstd"
    codec = str(file.metadata.row_group(0).column(0).compression).lower()
    return "none" if codec == "uncompressed" else codec


def _offsets(path: Path) -> tuple[int, ...]:
    """Where each row group starts."""
    found = pq.read_metadata(path)
    columns = [found.row_group(i).column(0) for i in range(found.num_row_groups)]
    return tuple(c.dictionary_page_offset or c.data_page_offset for c in columns)
