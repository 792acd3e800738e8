"""What a case found: printed for people, kept as JSON, goals missed as plainly as goals met."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.measure import MIB, Rounds, figures, middle

PACKAGES = ("dagster", "pyiceberg", "duckdb", "pyarrow", "polars", "pandera", "typer")


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure against its limit; smaller is better."""

    what: str
    value: float
    limit: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        limit = f"{self.limit:g}{self.unit}"
        return f"{verdict:<6} {self.what}: {_short(self.value)}{self.unit} (goal <= {limit})"


@dataclass(frozen=True, slots=True)
class Findings:
    """One case.

    Attributes:
        sizes: what it worked on, for people.
        rounds: side -> its samples.
        goals: met or missed.
        notes: what is compared with what, and figures without a goal.
    """

    case: str
    sizes: Mapping[str, str]
    rounds: Rounds
    goals: Sequence[Goal]
    notes: Sequence[str] = field(default_factory=tuple[str, ...])


def machine() -> dict[str, str]:
    """Where and with what it was measured; figures of different machines are not comparable."""
    memory = f"{psutil.virtual_memory().total / MIB / 1024:.0f} GiB"
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {memory}, {platform.platform()}",
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "load": " ".join(f"{value:.1f}" for value in os.getloadavg()),
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def publish(findings: Findings, *, where: Mapping[str, str], folder: Path) -> None:
    """Print the case and write ``<folder>/<case>.json``."""
    print(f"\n== {findings.case} ==")
    for name, value in {**where, **findings.sizes}.items():
        print(f"{name:<9} {value}")
    if float(where["load"].split()[0]) > (os.cpu_count() or 1) / 2:
        print("caution   the machine was busy when this began: trust ratios, not seconds")
    width = max(map(len, ("", *findings.rounds))) + 2
    print(
        f"{'':<{width}}{'rounds':>7}{'min s':>9}{'median s':>10}{'max s':>9}{'CPU s':>9}{'MiB':>7}"
    )
    for side, samples in findings.rounds.items():
        low, high = min(figures(samples, "seconds")), max(figures(samples, "seconds"))
        print(
            f"{side:<{width}}{len(samples):>7}{low:>9.2f}{middle(samples):>10.2f}{high:>9.2f}"
            f"{middle(samples, 'cpu_seconds'):>9.2f}{middle(samples, 'peak_mib'):>7.0f}"
        )
    for line in (*findings.notes, *findings.goals):
        print(line)
    _keep(findings, where, folder)


def _keep(findings: Findings, where: Mapping[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "case": findings.case,
        **where,
        "sizes": dict(findings.sizes),
        "rounds": {side: [asdict(s) for s in samples] for side, samples in findings.rounds.items()},
        "goals": [asdict(goal) | {"met": goal.met} for goal in findings.goals],
        "notes": list(findings.notes),
    }
    target = folder / f"{findings.case}.json"
    target.write_text(json.dumps(document, indent=1), encoding="utf-8")
    print(f"kept in   {target}")


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
