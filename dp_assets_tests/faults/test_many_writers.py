"""Many processes append while another one compacts: all of them get somewhere (FAULTS 7)."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from dp_assets.core.units import now_ms
from dp_assets.lakehouse import opened
from dp_assets.ports.maintenance import Operation
from dp_assets_tests.adapters.real_lakehouse import settings_in
from dp_assets_tests.faults.killing import SOAK
from dp_assets_tests.faults.model_episode import SETTINGS, Worker, make
from dp_assets_tests.faults.model_process import NAME, maintained
from dp_assets_tests.faults.model_writes import Said

WRITERS, APPENDS = 8, 100
WORKED = 2  # compactions that must come through while they write

POSTGRES = """
catalog:
  uri: {uri}
leases:
  wait_seconds: 5
"""


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="unavoidable: minutes; the model has two writers")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_compaction_gets_through(tmp_path: Path, request: pytest.FixtureRequest, database: str):
    """What was acknowledged is there once; what was not is said, and not there."""
    text = SETTINGS
    if database == "postgres":
        text = POSTGRES.format(uri=request.getfixturevalue("postgres").url)
    settings = settings_in(tmp_path, text)
    make(settings, version=2, keep=5)
    ends, answers = Counter[str](), list[list[Said]]()
    with ExitStack() as stack:
        workers = [_worker(stack, tmp_path / f"{n}.log") for n in range(WRITERS)]
        asked = [_appends(n) for n in range(WRITERS)]
        for worker, orders in zip(workers, asked, strict=True):
            worker.ask(settings, orders)
        with opened(settings) as lake:
            while ends["done"] < WORKED and ends.total() < 10 * WORKED:
                said = maintained(lake, Operation.COMPACTION, at_ms=now_ms())
                ends[said["did"]] += said["did"] not in ("nothing", "refused")
        answers = [worker.answer() for worker in workers]
    print(f"{database}: compactions {dict(ends)}")  # noqa: T201
    assert ends["done"] == WORKED
    with opened(settings) as lake:
        read = lake.catalog.load_table(NAME.identifier).scan().to_arrow()["id"].to_pylist()
    assert sorted(read) == sorted(_acknowledged(asked, answers))


def _worker(stack: ExitStack, log: Path) -> Worker:
    worker = Worker.start(log)
    stack.callback(worker.process.communicate)
    stack.callback(worker.process.kill)
    return worker


def _appends(writer: int) -> list[Said]:
    first = writer * 1_000_000
    return [
        {"do": "append", "ids": [first + n], "part": "ab"[n % 2], "stamp": n}
        for n in range(APPENDS)
    ]


def _acknowledged(asked: Sequence[list[Said]], answers: Sequence[list[Said]]) -> list[int]:
    found: list[int] = []
    for orders, said in zip(asked, answers, strict=True):
        for order, answer in zip(orders, said, strict=True):
            assert answer["did"] in ("done", "lost"), answer
            found += order["ids"] if answer["did"] == "done" else []
    return found
