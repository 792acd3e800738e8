"""A restore and every reading after it open no path below the old root (FAULTS 24)."""

import shutil
import subprocess
import sys
from pathlib import Path

from dp_assets_tests.faults.tracing import strace
from dp_assets_tests.usecases.backup.table_points import add_point, new_repository
from dp_assets_tests.zoo import POINTERS, PREFIX, unpack_zoo

CALLS = "open,openat,stat,newfstatat,statx,access,faccessat2,readlink,unlink,rename"


def test_no_path_below_the_old_root_is_opened(tmp_path: Path):
    trace, new = tmp_path / "trace.txt", tmp_path / "new"
    words = strace(CALLS, trace)
    zoo = unpack_zoo(tmp_path)
    repository = new_repository(tmp_path / "repository")
    add_point(repository, {f"zoo.{n}": p for n, p in POINTERS.items()}, read=zoo.files.read)
    shutil.rmtree(zoo.folder)
    module = [sys.executable, "-m", "dp_assets_tests.faults.traced_restore"]
    done = subprocess.run(
        [*words, *module, str(tmp_path / "repository"), str(new)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = trace.read_text(errors="replace").splitlines()
    assert [line for line in lines if f'"{PREFIX}/' in line] == []
    assert sum(f'"{new}/warehouse/zoo/' in line for line in lines) > 300
