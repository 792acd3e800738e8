"""A process that answers in JSON lines, and everything that it may do instead."""

from pathlib import Path

import pytest

from dp_assets.adapters.recovery.proof_process import answers
from dp_assets.core.errors import PermanentError


def said_by(program: str, folder: Path, *, silence_seconds: float = 60) -> list[object]:
    log = folder / "log"
    return list(answers(["-c", program], log=log, silence_seconds=silence_seconds))


def test_lines_come_as_they_are_said(tmp_path: Path) -> None:
    program = "import json\nfor n in range(3): print(json.dumps({'n': 'x' * 100_000 * n}))"
    assert said_by(program, tmp_path) == [{"n": "x" * 100_000 * n} for n in range(3)]


@pytest.mark.parametrize(
    ("program", "named"),
    [
        ("import os; os.kill(os.getpid(), 9)", r"killed \(SIGKILL\): most likely memory ran out"),
        ("import os; os.abort()", "was killed by SIGABRT"),
        ("raise SystemExit('no such engine')", "ended with 1: no such engine"),
        ("print('hello')", "did not answer in JSON"),
        ("print('{', end='')", "answer is cut short"),
    ],
)
def test_a_failure_is_said(program: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=named):
        said_by(program, tmp_path)


def test_what_was_said_before_a_crash_is_not_lost(tmp_path: Path) -> None:
    program = "import os; print('{}', flush=True); os.abort()"
    lines = answers(["-c", program], log=tmp_path / "log", silence_seconds=60)
    assert next(lines) == {}
    with pytest.raises(PermanentError, match="SIGABRT"):
        next(lines)


def test_a_process_that_hangs_is_stopped(tmp_path: Path) -> None:
    program = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
    with pytest.raises(PermanentError, match="said nothing for 2 seconds"):
        said_by(f"{program}time.sleep(600)", tmp_path, silence_seconds=2)
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()
