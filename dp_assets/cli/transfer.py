"""Bars for bytes on their way: how many, how fast, how long still; on a terminal only."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dp_assets.cli.output import Advance, Output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from dp_assets.domains.backup.progress import BackupProgress


@contextmanager
def transfer(out: Output, total_bytes: int, label: str) -> Generator[Advance, None, None]:
    """A bar of a known length; call what it gives with the bytes just done."""
    with _bar(out) as bar:
        if bar is None:
            yield _nobody_watches
            return
        task = bar.add_task(label, total=total_bytes)
        yield lambda size_bytes: bar.update(task, advance=size_bytes)


@contextmanager
def watched(out: Output) -> "Generator[BackupProgress | None, None, None]":
    """A bar whose length is learnt on the way, with what is being done; None elsewhere."""
    with _bar(out) as bar:
        yield None if bar is None else _Growing(bar, bar.add_task("cut", total=0))


@contextmanager
def _bar(out: Output) -> "Generator[Progress | None, None, None]":
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
        yield bar


class _Growing:
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


def _nobody_watches(size_bytes: int) -> None:
    del size_bytes
