"""Running one side of a comparison in a fresh process, and several sides in shuffled rounds."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

MIB = 1024 * 1024
STARTED = "BENCH_STARTED"
SHOWN_LINES = 15


class BenchmarkError(Exception):
    """A side ended with an error, so there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Side:
    """One process to be measured.

    Attributes:
        arguments: of the Python interpreter.
        prepare: fills the side's empty state folder before each round, unmeasured.
    """

    name: str
    arguments: tuple[str, ...]
    prepare: Callable[[Path], None] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one side: the whole process, interpreter start and imports included.

    Attributes:
        cpu_seconds: user and system time of the process and of those it waited for.
        peak_mib: largest resident set of any of them.
        said: what the process measured itself and printed as its last line, a JSON object.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float
    said: Mapping[str, float] = field(default_factory=dict[str, float])


Rounds = Mapping[str, Sequence[Sample]]


def middle(samples: Sequence[Sample], what: str = "seconds") -> float:
    """The median of one of the figures, the process's own included."""
    return median(figures(samples, what))


def figures(samples: Sequence[Sample], what: str) -> list[float]:
    """One figure of every sample."""
    return [s.said[what] if what in s.said else float(getattr(s, what)) for s in samples]


def shuffled_rounds(
    sides: Sequence[Side], *, rounds: int, warmups: int, work: Path, order: random.Random
) -> Rounds:
    """Measure every side ``rounds`` times; ``work`` holds what the processes write meanwhile."""
    measured: dict[str, list[Sample]] = {side.name: [] for side in sides}
    for turn in range(-warmups, rounds):
        for side in order.sample(list(sides), len(sides)):
            sample = measure(side, work=work)
            if turn >= 0:
                measured[side.name].append(sample)
    return measured


def measure(side: Side, *, work: Path) -> Sample:
    """Run ``side`` once with an empty state folder, which is removed afterwards."""
    state = work / "state"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    try:
        if side.prepare:
            side.prepare(state)
        return _measured_process(side, environment(state), work)
    finally:
        shutil.rmtree(state, ignore_errors=True)


def environment(state: Path) -> dict[str, str]:
    """What every side sees: its state folder, no settings of the caller, compiled imports."""
    ours = {"DP_STATE": str(state), "DAGSTER_DISABLE_TELEMETRY": "1"}
    dropped = {"PYTHONDONTWRITEBYTECODE", "DAGSTER_HOME", "DP_CONFIG"}
    return {k: v for k, v in os.environ.items() if k not in dropped} | ours


def _measured_process(side: Side, env: dict[str, str], work: Path) -> Sample:
    out, log = work / "out.txt", work / "log.txt"
    with out.open("wb") as stdout, log.open("wb") as stderr:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *side.arguments],
            env=env | {STARTED: repr(started)},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        said = log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
        raise BenchmarkError(f"{side.name} ended with {process.returncode}:\n" + "\n".join(said))
    return Sample(
        seconds=seconds,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_mib=used.ru_maxrss * 1024 / MIB,
        said=_last_object(out.read_text(errors="replace")),
    )


def _last_object(output: str) -> Mapping[str, float]:
    last = (output.splitlines() or [""])[-1]
    return json.loads(last) if last.startswith("{") else {}


def since_start() -> float:
    """In a side: seconds since its process was started, interpreter and imports included."""
    return time.monotonic() - float(os.environ[STARTED])


def say(**what: float) -> None:
    """In a side: hand figures to the benchmark."""
    print(json.dumps(what))
