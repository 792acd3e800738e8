"""Measures the machine: folders by writing to them, disks, installed software."""

import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb
from pyiceberg.io import FileIO

from dp_assets.adapters.duckdb_reader import EXTENSIONS, extension_file
from dp_assets.adapters.local_files import TEMPORARY_SUFFIX, create_file, sync_folder
from dp_assets.core.errors import ConfigurationError
from dp_assets.ports.doctor import Folder, KeyFile, Pin, Software

PINNED = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;,]+)")
PYTHON = re.compile(r">=(\d+)\.(\d+),<(\d+)\.(\d+)")


def examine_folder(name: str, path: Path) -> Folder:
    """Make a durable file in ``path`` and remove it again; nothing is left either way."""
    home = path
    while not _is_folder(home) and home != home.parent:
        home = home.parent
    usage = shutil.disk_usage(home)
    return Folder(
        name=name,
        path=str(path),
        exists=home == path,
        refusal=_refusal(home),
        device=home.stat().st_dev,
        free_bytes=usage.free,
        total_bytes=usage.total,
    )


def examine_store(name: str, root: str, io: FileIO) -> Folder:
    """Write one small object under ``root`` and delete it again."""
    probe = f"{root}/_dp/{_probe_name()}"
    try:
        with io.new_output(probe).create() as stream:
            stream.write(b"dp doctor")
        io.delete(probe)
    except (OSError, ValueError) as error:
        return Folder(name=name, path=root, refusal=str(error))
    return Folder(name=name, path=root)


def examine_key_files(paths: Iterable[Path]) -> tuple[KeyFile, ...]:
    """Who may read each file; what is not there is somebody else's finding."""
    return tuple(
        KeyFile(str(path), path.stat().st_mode & 0o777) for path in paths if path.is_file()
    )


def examine_software(dependencies: Sequence[str], *, requires_python: str) -> Software:
    """Compare what is installed with ``dependencies``; only exact pins (``a==1``) count.

    Args:
        dependencies: as ``project.dependencies`` of pyproject.toml.
        requires_python: as ``>=3.11,<3.14``.
    """
    pins = [found for text in dependencies if (found := PINNED.fullmatch(text))]
    bounds = PYTHON.fullmatch(requires_python)
    low, high = ((0, 0), (99, 0)) if not bounds else (_pair(bounds, 1), _pair(bounds, 3))
    return Software(
        python=sys.version_info[:2],
        python_from=low,
        python_below=high,
        pins=tuple(Pin(pin[1], pin[2], _installed(pin[1])) for pin in pins),
        engine_refusal=_engine_refusal(),
    )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except PermissionError:
        return False  # below a folder that we may not enter


def _refusal(folder: Path) -> str:
    probe = folder / _probe_name()
    try:
        create_file(probe, b"dp doctor")
        probe.unlink()
        sync_folder(folder)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _probe_name() -> str:
    return f".doctor-{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"


def _pair(found: re.Match[str], group: int) -> tuple[int, int]:
    return int(found[group]), int(found[group + 1])


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _engine_refusal() -> str:
    try:
        with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
            for name in EXTENSIONS:
                connection.execute(f"LOAD '{extension_file(name)}'")
    except ConfigurationError as error:
        return error.what
    except (duckdb.Error, StopIteration) as error:
        return f"{type(error).__name__}: {error}"
    return ""
