"""Case ``recovery_time``: the source is destroyed; how long until it is back, and proven.

Also a table in Markdown, ``recovery_time.md`` beside the kept findings. Each combination once: it
is a table of what to expect, not a comparison.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lakes import DP, Shape, make_lake
from benchmarks.measure import Sample, Side, measure
from benchmarks.options import Options
from benchmarks.report import Findings, Goal

FILES = (1_000, 20_000)
COLUMNS = (
    "table",
    "kind",
    "backup s",
    "restore s",
    "proof s",
    "restore MiB",
    "drill MiB",
    "restore MB/s",
)
NOTES = (
    "catalog and files are deleted after the backup; the restore gets the repository alone and",
    "  runs into an empty folder. Whole processes, start and imports included. The proof is that",
    "  of 'dp drill': everything compared, and read by two engines at a sample of the snapshots.",
    "merge on read: a tenth of the rows deleted by position-delete files, one for a hundredth of",
    "  the data files. Page cache: warm.",
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """One combination."""

    shape: Shape
    backup: Sample
    restore: Sample
    drill: Sample

    @property
    def cells(self) -> tuple[str, ...]:
        kind = "merge on read" if self.shape.deletes else "copy on write"
        size = self.shape.size_bytes / 1e9
        return (
            f"{size:g} GB, {self.shape.files:,} files",
            kind,
            f"{self.backup.seconds:.1f}",
            f"{self.restore.seconds:.1f}",
            f"{self.drill.said['proof_seconds']:.1f}",
            f"{self.restore.peak_mib:.0f}",
            f"{self.drill.peak_mib:.0f}",
            f"{size * 1000 / self.restore.seconds:.0f}",
        )


def measured(options: Options) -> Findings:
    """1 GB (``--gb``), 1,000 and 20,000 files, copy on write and merge on read."""
    shapes = [
        Shape(files=files, size_bytes=round(options.gb * 1e9), deletes=deletes)
        for files in options.recovered_files
        for deletes in (False, True)
    ]
    found = [recovered(shape, options.work) for shape in shapes]
    rows = markdown(found)
    target = options.work.parent / "recovery_time.md"
    target.write_text("\n".join(rows) + "\n", encoding="utf-8")
    rounds = {
        f"{one.shape}: {verb}": [getattr(one, verb)]
        for one in found
        for verb in ("backup", "restore", "drill")
    }
    restore = max(one.restore.peak_mib for one in found)
    drill = max(one.drill.peak_mib for one in found)
    goals = [
        Goal("peak memory, restore", restore, 200, " MiB"),
        Goal("peak memory, drill", drill, 700, " MiB"),
    ]
    return Findings(
        "recovery_time",
        {"sizes": ", ".join(str(shape) for shape in shapes)},
        rounds,
        goals,
        (*NOTES, *rows, f"table in {target}"),
    )


def recovered(shape: Shape, work: Path) -> Recovered:
    """Make, back up, destroy, restore, prove; nothing of it stays."""
    folders = [work / f"recovery-{name}" for name in ("lake", "kept", "gone")]
    folder, kept, gone = folders
    for old in folders:
        shutil.rmtree(old, ignore_errors=True)
    try:
        lake = make_lake(shape, folder, state=work / "making")
        variables = {**lake.variables, "DP_STATE": str(kept)}
        lake.dp(kept, "repo", "init")
        backup = Side("backup", ("-m", DP, "backup", "--json"), environment=variables)
        made = measure(backup, work=work)
        lake.destroy(gone)
        # From here on: the address of the repository, and the state folder of a new machine.
        apart = ("--repository", f"{kept}/repository", "--json")
        words = ("restore", "--to", "{state}/restored", *apart)
        restored = measure(Side("restore", ("-m", DP, *words)), work=work)
        drilled = measure(Side("drill", ("-m", DP, "drill", *apart)), work=work)
        return Recovered(shape, made, restored, drilled)
    finally:
        for old in folders:
            shutil.rmtree(old, ignore_errors=True)


def markdown(found: Sequence[Recovered]) -> list[str]:
    """The table, one line each."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *(one.cells for one in found)]
    return ["| " + " | ".join(cells) + " |" for cells in lines]
