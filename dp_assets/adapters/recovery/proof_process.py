"""A process that answers in JSON lines, watched: it may crash, be killed, or never answer."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dp_assets.core.errors import PermanentError

TAIL_LINES = 5
LOOK = "'dp drill --keep' leaves the scratch folder, with what the process said in proof.log"


def answers(
    arguments: Sequence[str], *, log: Path, silence_seconds: float, told: bytes = b""
) -> Iterator[Mapping[str, Any]]:
    """Run ``python arguments`` and yield what it says, line by line.

    Args:
        arguments: after the interpreter.
        log: gets what the process writes to its standard error.
        silence_seconds: it is killed when it says nothing for so long.
        told: on its standard input; a few kilobytes that are on no disk and in no argument.

    Raises:
        PermanentError: it was killed, crashed, hung, or did not answer in JSON.
    """
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_environment(),
        )
        try:
            _tell(process, told)
            yield from _lines(process, silence_seconds)
        finally:
            if process.poll() is None:
                process.kill()
            code = process.wait()
            if process.stdout:
                process.stdout.close()
    if code:
        raise PermanentError(f"the proof {_ended(code, log)}", hint=LOOK)


def _environment() -> dict[str, str]:
    """Ours, and the folder that this package was imported from: it need not be installed."""
    home = str(Path(__file__).parents[3])
    paths = [path for path in (os.environ.get("PYTHONPATH"), home) if path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _tell(process: subprocess.Popen[bytes], told: bytes) -> None:
    if process.stdin is None:
        raise AssertionError
    with suppress(BrokenPipeError):  # it has ended: how, is said where its answer is read
        try:
            process.stdin.write(told)
        finally:
            process.stdin.close()


def _lines(process: subprocess.Popen[bytes], silence_seconds: float) -> Iterator[Mapping[str, Any]]:
    if process.stdout is None:
        raise AssertionError
    pipe, waiting = process.stdout.fileno(), b""
    while True:
        ready, _, _ = select.select([pipe], [], [], silence_seconds)
        if not ready:
            raise PermanentError(
                f"the proof said nothing for {silence_seconds:g} seconds and was stopped", hint=LOOK
            )
        chunk = os.read(pipe, 1 << 16)
        if not chunk:
            break
        *lines, waiting = (waiting + chunk).split(b"\n")
        yield from map(_parsed, lines)
    if waiting:
        raise PermanentError("the proof's answer is cut short", hint=LOOK)
    process.wait()


def _parsed(line: bytes) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(line)
    except ValueError as error:
        raise PermanentError("the proof did not answer in JSON", hint=LOOK) from error
    return found


def _ended(code: int, log: Path) -> str:
    if code == -signal.SIGKILL:
        return "was killed (SIGKILL): most likely memory ran out"
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-TAIL_LINES:]
    return f"ended with {code}: {' | '.join(said)}"
