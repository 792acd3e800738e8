"""Finds what killed processes left behind, without touching any of it."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import unquote

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy import inspect

from dp_assets.adapters.lease_owner import is_gone
from dp_assets.adapters.leases_sql import LEASES
from dp_assets.adapters.local_files import is_temporary
from dp_assets.adapters.spool import DAMAGED, FILE_NAME, SUFFIX
from dp_assets.adapters.spool import damage as damage_of
from dp_assets.ports.doctor import HeldLease, SpooledRows, TemporaryFile
from dp_assets.ports.leases import Leases


def temporary_files(folder: Path, *, leave_out: Collection[Path]) -> tuple[TemporaryFile, ...]:
    """Temporary files of our durable writes below ``folder``, but not below ``leave_out``."""
    return tuple(_temporary_files(folder, {path.resolve() for path in leave_out}))


def spooled_rows(folder: Path) -> tuple[SpooledRows, ...]:
    """What is in the spool, by table; damaged batches stay where they are."""
    homes = {home.name for root in (folder, folder / DAMAGED) for home in _folders(root)}
    return tuple(
        _spooled(name, folder / name, folder / DAMAGED / name) for name in sorted(homes - {DAMAGED})
    )


def held_leases(catalog: Catalog, leases: Leases) -> tuple[HeldLease, ...]:
    """Every lease that has not expired. The leases' table is not made for it."""
    if isinstance(catalog, SqlCatalog) and not inspect(catalog.engine).has_table(LEASES.name):
        return ()
    return tuple(
        HeldLease(h.name, h.owner, is_owner_gone=is_gone(h.owner), expires_at_ms=h.expires_at_ms)
        for h in leases.held()
    )


def _temporary_files(folder: Path, leave_out: set[Path]) -> Iterator[TemporaryFile]:
    for root, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if (Path(root) / f).resolve() not in leave_out]
        for name in names:
            if is_temporary(name):
                path = Path(root) / name
                try:
                    modified_ms = path.stat().st_mtime_ns // 1_000_000
                except FileNotFoundError:
                    continue  # its writer has ended well meanwhile
                yield TemporaryFile(str(path), modified_ms)


def _spooled(name: str, home: Path, aside: Path) -> SpooledRows:
    batches = _batches(home)
    damaged = [path for path in batches if _is_damaged(path)]
    named = [FILE_NAME.fullmatch(path.name) for path in batches if path not in damaged]
    waiting = [batch for batch in named if batch]
    return SpooledRows(
        table=unquote(name),
        rows=sum(int(batch["rows"]) for batch in waiting),
        oldest_ms=min((int(batch["name"].split("-")[0]) for batch in waiting), default=None),
        damaged=tuple(map(str, [*damaged, *_batches(aside)])),
    )


def _is_damaged(path: Path) -> bool:
    try:
        return damage_of(path) is not None
    except FileNotFoundError:
        return False  # flushed since the listing


def _batches(home: Path) -> list[Path]:
    return sorted(p for p in home.iterdir() if p.suffix == SUFFIX) if home.is_dir() else []


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
