"""Position delete files of every format, and what damage does to them."""

import hashlib
import io
import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyroaring import BitMap64

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.recovery import delete_positions
from dp_assets.adapters.recovery.delete_positions import deleted_positions, positions_sha256
from dp_assets.core.errors import PermanentError
from dp_assets.ports.object_store import MissingObjectError
from dp_assets_tests.adapters.delete_files import MADE, parquet_deletes

A, B = "file:/w/a.parquet", "file:/w/b/ü.parquet"
PAIRS = [(A, 0), (A, 7), (A, 2**40), (B, 1), (B, 2), (B, 3)]
WANTED = {A: [0, 7, 2**40], B: [1, 2, 3]}


def read(folder: Path, content: bytes, file_format: str = "PARQUET") -> dict[str, list[int]]:
    path = folder / "deletes"
    path.write_bytes(content)
    found = deleted_positions(LocalLakeFiles(), str(path), file_format=file_format)
    return {name: list(positions) for name, positions in found.items()}


@pytest.mark.parametrize("file_format", MADE)
def test_every_format_says_the_same(tmp_path, file_format):
    assert read(tmp_path, MADE[file_format](PAIRS), file_format) == WANTED


@pytest.mark.parametrize("file_format", MADE)
def test_order_and_repetition_do_not_matter(tmp_path, file_format):
    shuffled = [*PAIRS[::-2], *PAIRS, *PAIRS[::2]]
    assert read(tmp_path, MADE[file_format](shuffled), file_format) == WANTED


@pytest.mark.parametrize("file_format", MADE)
def test_a_file_may_delete_nothing(tmp_path, file_format):
    assert read(tmp_path, MADE[file_format]([]), file_format) == {}


def test_row_groups_and_batches_add_up(tmp_path, monkeypatch):
    monkeypatch.setattr(delete_positions, "_BATCH_ROWS", 100)
    pairs = [(f"/w/{n // 997}.parquet", n * 3) for n in range(10_000)]
    found = read(tmp_path, parquet_deletes(pairs, row_group_size=333))
    assert sum(map(len, found.values())) == 10_000
    assert found["/w/3.parquet"] == [n * 3 for n in range(3 * 997, 4 * 997)]


def test_further_columns_and_dictionaries_are_no_matter(tmp_path):
    out = io.BytesIO()
    paths = pa.array([p for p, _ in PAIRS]).dictionary_encode()
    table = pa.table({"row": [{"id": n} for n in range(6)], "pos": [n for _, n in PAIRS]})
    pq.write_table(table.append_column("file_path", paths), out)
    assert read(tmp_path, out.getvalue()) == WANTED


@pytest.mark.parametrize("file_format", ["PARQUET", "ORC"])
@pytest.mark.parametrize(
    "pair",
    [
        pytest.param((A, -1), id="negative"),
        pytest.param((A, None), id="no-position"),
        pytest.param((None, 1), id="no-path"),
    ],
)
def test_what_is_no_position_is_damage(tmp_path, file_format, pair):
    with pytest.raises(PermanentError, match="deletes is damaged"):
        read(tmp_path, MADE[file_format]([*PAIRS, pair]), file_format)


def test_a_negative_position_in_avro_is_damage(tmp_path):
    with pytest.raises(PermanentError, match="deletes is damaged"):
        read(tmp_path, MADE["AVRO"]([(A, -1)]), "AVRO")


@pytest.mark.parametrize("file_format", MADE)
@pytest.mark.parametrize("kept", [0, 3, 0.5, -1])
def test_a_cut_file_is_damage(tmp_path, file_format, kept):
    content = MADE[file_format](PAIRS)
    end = int(len(content) * kept) if isinstance(kept, float) else kept
    with pytest.raises(PermanentError, match="deletes is damaged"):
        read(tmp_path, content[:end], file_format)


def test_another_format_is_not_guessed(tmp_path):
    with pytest.raises(PermanentError, match="in VORTEX cannot be read"):
        read(tmp_path, b"", "VORTEX")


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(MissingObjectError):
        deleted_positions(LocalLakeFiles(), str(tmp_path / "gone"), file_format="PARQUET")


@pytest.mark.parametrize("positions", [[], [0], [1, 5, 2**33, 2**63], list(range(100_000))])
def test_the_hash_is_that_of_the_sorted_numbers(positions):
    plain = b"".join(struct.pack("<Q", n) for n in positions)
    shuffled = BitMap64(reversed(positions))
    assert positions_sha256(shuffled) == hashlib.sha256(plain).hexdigest()


def test_the_hash_does_not_depend_on_how_the_bitmap_is_laid_out():
    runs = BitMap64(range(1000))
    runs.run_optimize()
    assert positions_sha256(runs) == positions_sha256(BitMap64(list(range(1000))))
