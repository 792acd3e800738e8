"""Findings about the machine: folders, disks, clock and software."""

from collections.abc import Iterator, Sequence

from dp_assets.core.ids import TableId
from dp_assets.core.units import GIB, MIB, MINUTE_MS, format_bytes, format_seconds, iso_utc
from dp_assets.domains.lake.doctor import Area, Finding, Severity
from dp_assets.ports.doctor import Folder, Software

# A disk is short of space below either of the first two, and full below the third.
LOW_FREE_SHARE = 0.10
LOW_FREE_BYTES = 5 * GIB
FULL_FREE_BYTES = 500 * MIB
CLOCK_TOLERANCE_MS = MINUTE_MS


def check_folder(folder: Folder) -> Finding:
    """Whether what we write there stays there."""
    subject, where = f"{folder.name} folder", folder.path
    if folder.refusal:
        hint = "make it writable for this user, or choose another folder in lakehouse.yaml"
        what = f"{where} cannot be written: {folder.refusal}"
        return Finding(Severity.ERROR, Area.MACHINE, subject, what, hint)
    if not folder.exists:
        what = f"{where} does not exist"
        hint = "'dp init' or the first write makes it; if it was there before, is its disk mounted?"
        return Finding(Severity.WARN, Area.MACHINE, subject, what, hint)
    return Finding(Severity.OK, Area.MACHINE, subject, f"{where} is writable")


def check_disks(folders: Sequence[Folder]) -> Iterator[Finding]:
    """Free space, once per disk; object stores have none to measure."""
    by_device = {f.device: f for f in reversed(folders) if f.device is not None}
    for device, folder in by_device.items():
        names = " and ".join(f.name for f in folders if f.device == device)
        share = folder.free_bytes / max(folder.total_bytes, 1)
        free = format_bytes(folder.free_bytes)
        what = f"{free} ({share:.0%}) of {format_bytes(folder.total_bytes)} are free"
        yield Finding(
            _space_severity(folder.free_bytes, share),
            Area.MACHINE,
            f"disk of {names}",
            what,
            ""
            if _space_severity(folder.free_bytes, share) is Severity.OK
            else "free some space or move state and warehouse: a commit that does not fit fails",
        )


def _space_severity(free_bytes: int, share: float) -> Severity:
    if free_bytes < FULL_FREE_BYTES:
        return Severity.ERROR
    low = share < LOW_FREE_SHARE or free_bytes < LOW_FREE_BYTES
    return Severity.WARN if low else Severity.OK


def check_clock(*, now_ms: int, newest: tuple[TableId, int] | None) -> Finding:
    """This machine's clock against the newest commit; a later one is from a faster clock."""
    subject = "clock"
    if newest is None:
        return Finding(Severity.OK, Area.MACHINE, subject, f"{iso_utc(now_ms)}, no commit yet")
    table, commit_ms = newest
    behind_ms = commit_ms - now_ms
    if behind_ms > CLOCK_TOLERANCE_MS:
        behind = format_seconds(behind_ms / 1000)
        what = f"{iso_utc(now_ms)}, {behind} before the newest commit of {table}"
        hint = (
            "set it with NTP, here or on the machine that committed; ages and leases go by clocks"
        )
        return Finding(Severity.WARN, Area.MACHINE, subject, what, hint)
    return Finding(Severity.OK, Area.MACHINE, subject, f"{iso_utc(now_ms)}, after every commit")


def check_software(software: Software) -> Iterator[Finding]:
    """Python, the pinned distributions, and whether the engine starts."""
    python = ".".join(map(str, software.python))
    if not software.python_from <= software.python < software.python_below:
        low, high = (".".join(map(str, v)) for v in (software.python_from, software.python_below))
        what = f"{python}; tested from {low} to below {high}"
        yield Finding(
            Severity.WARN, Area.MACHINE, "python", what, "make .venv with a tested version"
        )
    wrong = [pin for pin in software.pins if pin.found != pin.wanted]
    for pin in wrong:
        what = f"{pin.found or 'not installed'}; made for {pin.wanted}"
        hint = f"pip install '{pin.name}=={pin.wanted}', or make .venv again"
        yield Finding(Severity.WARN, Area.MACHINE, pin.name, what, hint)
    if software.engine_refusal:
        hint = "duckdb and its duckdb-extension-* packages must have one and the same version"
        yield Finding(Severity.ERROR, Area.MACHINE, "duckdb", software.engine_refusal, hint)
    if not wrong and not software.engine_refusal:
        what = f"python {python}; {len(software.pins)} pinned packages fit, DuckDB loads Iceberg"
        yield Finding(Severity.OK, Area.MACHINE, "versions", what)
