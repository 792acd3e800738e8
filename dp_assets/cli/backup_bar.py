"""The bar of a backup: bytes, rate and time left, and the table that is being copied."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dp_assets.cli.output import Output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from dp_assets.domains.backup.progress import BackupProgress


@contextmanager
def watched(out: Output) -> "Generator[BackupProgress | None, None, None]":
    """A bar on a terminal, nothing elsewhere; how much there is to do is learnt on the way."""
    if out.json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar, bar.add_task("cut", total=0))


class _Bar:
    """Progress as a bar; rich locks, so many threads may call."""

    def __init__(self, bar: "Progress", task: "TaskID") -> None:
        self._bar = bar
        self._task = task

    def expect(self, size_bytes: int) -> None:
        total = self._bar.tasks[0].total or 0
        self._bar.update(self._task, total=total + size_bytes)

    def advance(self, size_bytes: int) -> None:
        self._bar.update(self._task, advance=size_bytes)

    def phase(self, text: str) -> None:
        shown = text if text.isprintable() else repr(text)
        self._bar.update(self._task, description=shown)
