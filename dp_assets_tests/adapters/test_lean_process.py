"""What a lean process leaves out; each is asked in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from dp_assets.lakehouse import opened
from dp_assets_tests.adapters.real_lakehouse import ORDERS, make_lakehouse

COMMITS = 6
SAY = "import pyarrow as pa; print(pa.default_memory_pool().backend_name, 'pandas' in sys.modules)"
READ = "import pyarrow as pa; pa.array([1]).to_pylist(); pa.table({'x': [[1], None]})"


def said(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; {SAY}"],
        env={k: v for k, v in os.environ.items() if k != "DP_STATE"} | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()[-1]


def inside(code: str) -> str:
    return (
        "from dp_assets.adapters.lean_process import lean_process; lean = lean_process(); "
        f"lean.__enter__(); {code}; lean.__exit__(None, None, None)"
    )


def test_neither_pandas_nor_a_pool_that_keeps_what_was_freed():
    assert said(READ).endswith("True")  # pandas is there to be left out
    assert said(inside(READ)) == "system False"


def test_a_pool_that_somebody_chose_is_kept():
    assert said(inside(READ), ARROW_DEFAULT_MEMORY_POOL="mimalloc") == "mimalloc False"


def test_afterwards_pandas_is_there_for_who_asks():
    assert said(f"{inside('pass')}; import pandas").endswith("True")


def test_maintenance_by_hand_is_lean(tmp_path: Path):
    settings = make_lakehouse(tmp_path, commits=COMMITS)
    words = ["maintain", str(ORDERS), "--only", "compaction"]
    run = f"from dp_assets.cli.main import main; assert not main({words})"
    assert said(run, DP_CONFIG=str(tmp_path / "lakehouse.yaml")) == "system False"
    with opened(settings) as lake:
        scan = lake.catalog.load_table(ORDERS.identifier).scan()
        assert len(list(scan.plan_files())) == 1
        assert scan.to_arrow().num_rows == 10 * COMMITS
