"""System calls of a real process, in the phases that it announces."""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

CALLS = (
    "openat,creat,mkdir,mkdirat,pwrite64,write,fsync,fdatasync,syncfs,rename,renameat2,link,unlink"
)
RESUMED = re.compile(r"<\.\.\. (\w+) resumed>")
LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += (\d+)(?:<(.*)>)?$")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call that succeeded, with the path it was about."""

    name: str
    path: str
    flags: str = ""


def strace(calls: str, trace: Path) -> list[str]:
    """The words before a command that is traced; skips the test where nothing can be traced."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed; Debian: apt-get install strace")
    probe = subprocess.run(["strace", "-f", "true"], capture_output=True, text=True)
    if "PTRACE_TRACEME" in probe.stderr or ("ptrace" in probe.stderr and probe.returncode):
        pytest.skip(f"unavoidable: this machine forbids tracing: {probe.stderr.strip()}")
    return ["strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={calls}", "-o", str(trace)]


def traced(module: str, folder: Path, *, trace: Path) -> Mapping[str, Sequence[Call]]:
    """Phase of ``python -m module folder`` -> its calls under ``folder``, in order.

    The process makes a folder ``phase-<name>`` before each phase.
    """
    done = subprocess.run(
        [*strace(CALLS, trace), "-y", sys.executable, "-m", module, str(folder)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[Call]] = defaultdict(list)
    phase = ""
    for call in calls(trace):
        if call.name == "mkdir" and "/phase-" in call.path:
            phase = call.path.rpartition("/phase-")[2]
        elif call.path.startswith(str(folder)):
            found[phase].append(call)
    return found


def calls(trace: Path) -> Iterator[Call]:
    """The finished calls, at the moment they returned."""
    begun: dict[str, str] = {}
    for line in trace.read_text().splitlines():
        thread = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>").rstrip()
            continue
        whole = RESUMED.sub("", line)
        if whole != line:
            whole = begun.pop(thread) + whole.split(" ", 1)[1].lstrip()
        if found := LINE.match(whole):
            yield parsed(found[1], found[2], opened=found[4])


def parsed(name: str, arguments: str, *, opened: str | None) -> Call:
    if opened:
        return Call(name, opened, flags=arguments)
    on_descriptor = re.match(r"\d+<([^>]*)>", arguments)
    quoted = re.findall(r'"([^"]*)"', arguments)
    return Call(name, on_descriptor[1] if on_descriptor else (quoted or [""])[-1])
