"""Extraction: whole or not there, once, and nothing left of an attempt that ended early."""

import os
import resource
import subprocess
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from dp_assets.adapters.zip_member import extracted
from dp_assets.core.errors import PermanentError

CONTENT = b"".join(b"%d,some,line\n" % number for number in range(20_000))


def archive(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / "flights.csv.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as opened:
        opened.writestr("flights.csv", content)
    return path


def left_in(cache: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(cache.iterdir())] if cache.exists() else []


def test_another_content_gets_another_name(tmp_path):
    cache = tmp_path / "cache"
    first = extracted(archive(tmp_path), "flights.csv", cache_dir=cache)
    second = extracted(archive(tmp_path, CONTENT[::-1]), "flights.csv", cache_dir=cache)
    assert first.read_bytes() == CONTENT
    assert second.read_bytes() == CONTENT[::-1]


def test_a_file_of_another_size_is_extracted_again(tmp_path):
    cache = tmp_path / "cache"
    path = extracted(archive(tmp_path), "flights.csv", cache_dir=cache)
    path.write_bytes(b"short")
    assert extracted(archive(tmp_path), "flights.csv", cache_dir=cache).read_bytes() == CONTENT


@pytest.mark.parametrize("kept", [0, 10, 1000, -1], ids=["nothing", "header", "half", "last-byte"])
def test_a_truncated_archive_is_named_and_leaves_nothing(tmp_path, kept):
    path = archive(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(PermanentError, match=r"flights.csv.zip is damaged"):
        extracted(path, "flights.csv", cache_dir=tmp_path / "cache")
    assert left_in(tmp_path / "cache") == []


@pytest.mark.parametrize("offset", [60, 5000, 40_000])
def test_damage_inside_the_data_is_found_and_leaves_nothing(tmp_path, offset):
    path = archive(tmp_path)
    content = bytearray(path.read_bytes())
    content[offset] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(PermanentError, match=r"flights.csv.zip is damaged"):
        extracted(path, "flights.csv", cache_dir=tmp_path / "cache")
    assert left_in(tmp_path / "cache") == []


def test_an_archive_without_the_file_is_named(tmp_path):
    with pytest.raises(PermanentError, match=r"flights.csv.zip holds no weather.csv"):
        extracted(archive(tmp_path), "weather.csv", cache_dir=tmp_path)


def test_a_full_disk_leaves_nothing(tmp_path):
    path, cache = archive(tmp_path), tmp_path / "cache"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(PermanentError, match=r"was not extracted into .*cache: File too large"):
            extracted(path, "flights.csv", cache_dir=cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert left_in(cache) == []


def test_what_a_killed_process_left_is_removed_and_a_living_ones_kept(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    dead = tmp_path / f"flights-1-00000000.csv.{ended.stdout.strip()}.x1.partial"
    alive = tmp_path / f"flights-1-00000000.csv.{os.getppid()}.x2.partial"
    dead.touch()
    alive.touch()
    whole = extracted(archive(tmp_path.parent), "flights.csv", cache_dir=tmp_path)
    assert set(tmp_path.iterdir()) == {alive, whole}
