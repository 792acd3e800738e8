"""The files of tables: on this machine's disks, and in buckets with the catalog's properties."""

import os
import secrets
from collections.abc import Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from stat import S_ISREG

from dp_assets.adapters.local_files import TEMPORARY_SUFFIX, is_local, local_name
from dp_assets.adapters.objects.file_errors import ABSENT, file_error, file_errors, taken
from dp_assets.adapters.objects.file_systems import can_sync_whole, sync_whole
from dp_assets.adapters.objects.large_file import PagePool
from dp_assets.adapters.objects.local_objects import LocalWriter, write_new
from dp_assets.adapters.objects.local_reader import LocalReader
from dp_assets.adapters.objects.s3_lake_files import S3LakeFiles
from dp_assets.adapters.objects.s3_settings import S3Options
from dp_assets.core.errors import ConfigurationError
from dp_assets.ports.lake_files import FileStat, LakeFiles, NewFile
from dp_assets.ports.object_store import Reader


class LocalLakeFiles(LakeFiles):
    """Files on this machine. A symbolic link is followed, as every reader of a table does."""

    def __init__(self) -> None:
        self._pool = PagePool()

    def stat(self, location: str) -> FileStat | None:
        name = _require_local_name(location)
        try:
            found = os.stat(name)  # noqa: PTH116 - of each of many thousands of files
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise file_error(error, doing="read", path=name) from error
        if not S_ISREG(found.st_mode):
            return None
        return FileStat(size=found.st_size, version=str(found.st_mtime_ns))

    def read(self, location: str) -> bytes:
        with LocalReader(_require_local_name(location)) as reader:
            return reader.read(-1)

    def open(self, location: str) -> AbstractContextManager[Reader]:
        return LocalReader(_require_local_name(location))

    @contextmanager
    def create(self, location: str) -> Generator[NewFile, None, None]:
        path = require_local(location)
        # Beside its target: every folder of a table may be another file system.
        temporary = f"{path.parent}/.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
        with LocalWriter(temporary, self._pool, past_cache=True) as writer:
            yield LocalNewFile(writer, path)

    def write(
        self, location: str, content: bytes, *, replace: bool = False, durable: bool = True
    ) -> None:
        if replace or durable or not can_sync_whole():
            super().write(location, content, replace=replace, durable=durable)
            return
        name = _require_local_name(location)
        try:
            write_new(name, content)
        except FileExistsError:
            raise taken(name) from None
        except OSError as error:
            raise file_error(error, doing="write", path=name) from error

    def settle(self, locations: Iterable[str]) -> None:
        disks: dict[int, Path] = {}
        for path in map(require_local, locations):
            with file_errors("sync", path):
                disks.setdefault(path.stat().st_dev, path if path.is_dir() else path.parent)
        for folder in disks.values():
            sync_whole(folder)

    def delete(self, location: str) -> None:
        path = require_local(location)
        with file_errors("delete", path):
            path.unlink(missing_ok=True)


class LocalNewFile:
    """A file on its way to a location."""

    def __init__(self, writer: LocalWriter, path: Path) -> None:
        self._writer = writer
        self._path = path
        self.write = writer.write
        self.flush = writer.flush

    def commit(self, *, replace: bool = False, durable: bool = True) -> None:
        if not self._writer.place(str(self._path), replace=replace, durable=durable):
            raise taken(str(self._path))


class CatalogFiles(LakeFiles):
    """Files wherever one catalog's tables have them: on disks, in buckets, in both."""

    def __init__(
        self,
        properties: Mapping[str, str],
        *,
        tmp_dir: Path,
        options: S3Options | None = None,
    ) -> None:
        self._disk = LocalLakeFiles()
        self._buckets = S3LakeFiles(properties, tmp_dir=tmp_dir, options=options or S3Options())

    def stat(self, location: str) -> FileStat | None:
        return self._for(location).stat(location)

    def read(self, location: str) -> bytes:
        return self._for(location).read(location)

    def open(self, location: str) -> AbstractContextManager[Reader]:
        return self._for(location).open(location)

    def create(self, location: str) -> AbstractContextManager[NewFile]:
        return self._for(location).create(location)

    def write(
        self, location: str, content: bytes, *, replace: bool = False, durable: bool = True
    ) -> None:
        self._for(location).write(location, content, replace=replace, durable=durable)

    def settle(self, locations: Iterable[str]) -> None:
        self._disk.settle(one for one in locations if self._for(one) is self._disk)

    def delete(self, location: str) -> None:
        self._for(location).delete(location)

    def _for(self, location: str) -> LakeFiles:
        return self._disk if is_local(location) else self._buckets


def require_local(location: str) -> Path:
    """The path of ``location``. Raises ConfigurationError for other schemes."""
    return Path(_require_local_name(location))


def _require_local_name(location: str) -> str:
    name = local_name(location)
    if name is None:
        raise ConfigurationError(
            f"{location} is not on a local disk", hint="known are file:// and s3:// locations"
        )
    return name
