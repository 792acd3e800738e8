"""A bar for bytes on their way: how many, how fast, how long still."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from dp_assets.cli.output import Advance, Output


@contextmanager
def transfer(out: Output, total_bytes: int, label: str) -> Generator[Advance, None, None]:
    """A bar on a terminal, nothing elsewhere; call what it gives with the bytes just done."""
    if out.json or not sys.stderr.isatty():
        yield _nobody_watches
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
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total_bytes)
        yield lambda size_bytes: bar.update(task, advance=size_bytes)


def _nobody_watches(size_bytes: int) -> None:
    del size_bytes
