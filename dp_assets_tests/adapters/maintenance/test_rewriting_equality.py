"""Equality deletes are applied exactly: by number, partition and the values of their columns."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.io.pyarrow import _dataframe_to_data_files
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record

from dp_assets.adapters.maintenance import equality_positions, group_query
from dp_assets.adapters.recovery import pyiceberg_large
from dp_assets.core.errors import PermanentError
from dp_assets_tests.adapters.maintenance.equal_deletes import delete_equal, ids, pairs, rows
from dp_assets_tests.adapters.maintenance.rewriting import (
    SIMPLE,
    append,
    delete_positions,
    new_table,
    parquet_files,
    paths_of,
    rewritten,
)

BY_TEXT = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "text"))


@pytest.fixture
def simple(tmp_path: Path) -> Iterator[Table]:
    with new_table(tmp_path, SIMPLE) as made:
        yield made


def test_a_delete_takes_what_is_older_and_no_more(simple: Table, tmp_path: Path):
    append(simple, {"id": 1}, {"id": 2}, {"id": 3})
    delete_equal(simple, ids(1))
    append(simple, {"id": 1, "text": "again"}, {"id": 4})
    delete_equal(simple, ids(2, 4, 99))
    append(simple, {"id": 4, "text": "again"})
    found = rewritten(simple.metadata_location, tmp_path)
    assert found.rows() == rows({"id": 1, "text": "again"}, {"id": 3}, {"id": 4, "text": "again"})


def test_the_commit_that_deletes_keeps_what_it_inserts(simple: Table, tmp_path: Path):
    """An upsert: both have the same number."""
    append(simple, {"id": 1, "text": "old"}, {"id": 2, "text": "old"})
    new = pa.Table.from_pylist([{"id": 1, "text": "new"}], SIMPLE.as_arrow())
    written = _dataframe_to_data_files(simple.metadata, new, simple.io)
    delete_equal(simple, ids(1), beside=written)
    found = rewritten(simple.metadata_location, tmp_path)
    assert found.rows() == rows({"id": 1, "text": "new"}, {"id": 2, "text": "old"})


def test_null_equals_null_and_nothing_else(simple: Table, tmp_path: Path):
    """In all the columns of the delete, which are not those of another one."""
    append(
        simple,
        *({"id": number, "text": text} for number in (1, 2, None) for text in ("a", "", None)),
    )
    delete_equal(simple, pairs((1, None), (None, None), (2, "a"), (2, "b")))
    delete_equal(simple, pa.table({"text": pa.array(["", ""], pa.string())}))
    found = rewritten(simple.metadata_location, tmp_path)
    assert found.rows() == rows({"id": 1, "text": "a"}, {"id": 2}, {"text": "a"})
    delete_equal(simple, ids(None))
    found = rewritten(simple.metadata_location, tmp_path)
    assert found.rows() == rows({"id": 1, "text": "a"}, {"id": 2})


def test_positions_and_values_add_up(simple: Table, tmp_path: Path):
    append(simple, *({"id": n} for n in range(5)))
    [path] = paths_of(simple)
    delete_positions(simple, [(path, 0), (path, 1)])
    delete_equal(simple, ids(1, 2))
    found = rewritten(simple.metadata_location, tmp_path)
    assert found.rows() == rows({"id": 3}, {"id": 4})


def test_a_delete_is_of_its_partition(tmp_path: Path):
    """That of nulls is one like any other."""
    with new_table(tmp_path, SIMPLE, spec=BY_TEXT) as table:
        append(table, *({"id": n, "text": t} for n in (1, 2) for t in ("a", "b", None)))
        delete_equal(table, ids(1), partition=Record("a"))
        delete_equal(table, ids(2), partition=Record(None))
        found = rewritten(table.metadata_location, tmp_path)
        assert found.rows() == rows(
            {"id": 2, "text": "a"},
            {"id": 1, "text": "b"},
            {"id": 2, "text": "b"},
            {"id": 1},
        )


@pytest.mark.parametrize("back", ["without", "void"])
def test_a_delete_without_partition_is_of_all(tmp_path: Path, back: str):
    version = "2" if back == "without" else "1"  # version 1 keeps a void field
    properties = {"format-version": version}
    with new_table(tmp_path, SIMPLE, spec=BY_TEXT, properties=properties) as table:
        with table.transaction() as transaction:
            transaction.upgrade_table_version(2)
        append(table, *({"id": n, "text": t} for n in (1, 2) for t in ("a", "b")))
        with table.update_spec() as update:
            update.remove_field("text")
        append(table, {"id": 1, "text": "c"}, {"id": 3, "text": "c"})
        nothing = Record(*([None] * len(table.spec().fields)))
        delete_equal(table, ids(1), partition=nothing)
        append(table, {"id": 1, "text": "new"})
        found = rewritten(table.metadata_location, tmp_path)
        assert found.rows() == rows(
            {"id": 2, "text": "a"},
            {"id": 2, "text": "b"},
            {"id": 3, "text": "c"},
            {"id": 1, "text": "new"},
        )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda monkeypatch: monkeypatch.setattr(group_query.EqualityTables, "of", lambda *_: []),
        lambda monkeypatch: monkeypatch.setattr(
            "dp_assets.adapters.maintenance.equality_tables.EqualityTable.anti_join",
            lambda self, rows, *, number: f"ANTI JOIN {self.name} USING (__dp_key_1)",
        ),
    ],
    ids=["none-applied", "number-left-out"],
)
def test_the_proof_sees_deletes_that_are_applied_otherwise(
    simple: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[..., None]
):
    append(simple, {"id": 1}, {"id": 2})
    delete_equal(simple, ids(1))
    append(simple, {"id": 1})
    spoil(monkeypatch)
    before = parquet_files(tmp_path)
    with pytest.raises(PermanentError, match="2 rows before"):
        rewritten(simple.metadata_location, tmp_path)
    assert parquet_files(tmp_path) == before


def test_keys_are_looked_up_for_several_batches_at_a_time(
    simple: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each look-up makes a table of all keys first."""
    monkeypatch.setattr(equality_positions, "PIECE_ROWS", 8)
    monkeypatch.setattr(pyiceberg_large, "BATCH_ROWS", 2)
    sizes: list[int] = []
    look_up = equality_positions.DeletedKeys.of_rows

    def counted(self: equality_positions.DeletedKeys, keys: Sequence[pa.Array]) -> pa.Array:
        sizes.append(len(keys[0]))
        return look_up(self, keys)

    monkeypatch.setattr(equality_positions.DeletedKeys, "of_rows", counted)
    append(simple, *({"id": number} for number in range(20)))
    delete_equal(simple, ids(1, 7, 8, 19))
    found = rewritten(simple.metadata_location, tmp_path)
    assert found.rows() == rows(*({"id": n} for n in range(20) if n not in (1, 7, 8, 19)))
    assert sizes == [8, 8, 4]


@pytest.mark.parametrize("seed", range(4))
def test_random_upserts_leave_what_a_model_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
):
    """Every row and delete with its number; keys are few, so that they meet."""
    monkeypatch.setattr(equality_positions, "KEYS_AT_ONCE", 3)
    monkeypatch.setattr(equality_positions, "PIECE_ROWS", 4)
    monkeypatch.setattr(pyiceberg_large, "BATCH_ROWS", 2)
    chance = random.Random(seed)  # noqa: S311 - a test
    is_split = bool(seed % 2)
    live: list[tuple[int | None, str | None]] = []
    with new_table(tmp_path, SIMPLE, spec=BY_TEXT if is_split else None) as table:
        for _ in range(chance.randint(5, 12)):
            some = [
                (chance.choice([None, 1, 2, 3, 4]), chance.choice([None, "a", "b"]))
                for _ in range(chance.randint(1, 6))
            ]
            where = chance.choice([None, "a", "b"])
            match chance.randrange(4):
                case 0:
                    delete_equal(table, pairs(*some), partition=Record(where) if is_split else None)
                    live = [r for r in live if r not in some or (is_split and r[1] != where)]
                case 1:
                    numbers = {number for number, _ in some}
                    delete_equal(
                        table, ids(*numbers), partition=Record(where) if is_split else None
                    )
                    live = [r for r in live if r[0] not in numbers or (is_split and r[1] != where)]
                case _:
                    append(table, *({"id": number, "text": text} for number, text in some))
                    live += some
        if not has_data(table):
            return
        found = rewritten(table.metadata_location, tmp_path)
        expected = rows(*({"id": number, "text": text} for number, text in live))
        assert (found.rows() if found.files else []) == expected, f"seed {seed}"


def has_data(table: Table) -> bool:
    return table.inspect.data_files().num_rows > 0
