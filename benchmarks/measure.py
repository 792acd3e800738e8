"""Running one side of a comparison in a fresh process, and several sides in shuffled rounds."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.launch import STARTED

MIB = 1024 * 1024
LAUNCH = Path(__file__).with_name("launch.py")
SHOWN_LINES = 15
STATES = "states"
LEAST_FREE = 0.15  # of the disk


class BenchmarkError(Exception):
    """A side ended with an error, so there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Side:
    """One process to be measured.

    Attributes:
        arguments: of the program; ``{state}`` in one, or in a value of ``environment``, stands for
            the side's state folder.
        prepare: fills the side's empty state folder before each round, unmeasured.
        program: its name or path; by default this Python interpreter.
        environment: on top of what every side sees.
    """

    name: str
    arguments: tuple[str, ...]
    prepare: Callable[[Path], None] | None = None
    program: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


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
    """One figure of every sample; a process says nothing of what is measured from outside."""
    return [float(getattr(s, what)) if hasattr(s, what) else s.said[what] for s in samples]


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
    """Run ``side`` once with an empty state folder of its own.

    The folder stays until :func:`forget_states` as long as the disk has room: where many files were
    deleted, ext4 without a journal makes new ones 20 times slower, and the next side would pay.
    """
    states = work / STATES
    states.mkdir(parents=True, exist_ok=True)
    disk = shutil.disk_usage(states)
    if disk.free < LEAST_FREE * disk.total:
        forget_states(work)
    state = Path(tempfile.mkdtemp(dir=states))
    if side.prepare:
        side.prepare(state)
    os.sync()  # nobody pays for what the one before has left to be written
    return _measured_process(side, state, work)


def forget_states(work: Path) -> None:
    """Delete what the measured processes wrote."""
    states = work / STATES
    shutil.rmtree(states, ignore_errors=True)
    states.mkdir(parents=True)


def environment(state: Path) -> dict[str, str]:
    """What every side sees: its state folder, no settings of the caller, compiled imports."""
    ours = {"DP_STATE": str(state), "DAGSTER_DISABLE_TELEMETRY": "1"}
    dropped = {"PYTHONDONTWRITEBYTECODE", "DAGSTER_HOME", "DP_CONFIG"}
    return {k: v for k, v in os.environ.items() if k not in dropped} | ours


def _measured_process(side: Side, state: Path, work: Path) -> Sample:
    out, log, result = work / "out.txt", work / "log.txt", work / "result.json"
    arguments = [argument.replace("{state}", str(state)) for argument in side.arguments]
    variables = {k: v.replace("{state}", str(state)) for k, v in side.environment.items()}
    with out.open("wb") as stdout, log.open("wb") as stderr:
        subprocess.run(
            [sys.executable, "-I", "-S", LAUNCH, result, side.program, *arguments],
            env=environment(state) | variables,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            check=True,
        )
    took = json.loads(result.read_text(encoding="utf-8"))
    if took["code"] != 0:
        said = log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
        raise BenchmarkError(f"{side.name} ended with {took['code']}:\n" + "\n".join(said))
    return Sample(
        seconds=took["seconds"],
        cpu_seconds=took["cpu_seconds"],
        peak_mib=took["peak_bytes"] / MIB,
        said=_last_object(out.read_text(errors="replace")),
    )


def _last_object(output: str) -> Mapping[str, float]:
    """The figures of the last JSON object, which begins a line and may have several."""
    start = f"\n{output}".rfind("\n{")
    if start < 0:
        return {}
    try:
        found = json.loads(output[start:])
    except json.JSONDecodeError:
        return {}
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def since_start() -> float:
    """In a side: seconds since its process was started, interpreter and imports included."""
    return time.monotonic() - float(os.environ[STARTED])


def say(**what: float) -> None:
    """In a side: hand figures to the benchmark."""
    print(json.dumps(what))
