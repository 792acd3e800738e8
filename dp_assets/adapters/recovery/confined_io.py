"""Reading files below one folder and nowhere else: what a proof reads is the restored copy."""

import os
from contextlib import AbstractContextManager
from io import UnsupportedOperation
from pathlib import Path
from typing import cast

import pyarrow as pa
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.reading_io import LocalInput
from dp_assets.core.errors import PermanentError
from dp_assets.ports.lake_files import FileStat, LakeFiles, NewFile
from dp_assets.ports.object_store import Reader


class OutsideError(PermanentError, PermissionError):
    """A file outside was asked for: a path that the restore did not rewrite."""


class Confinement:
    """One folder, symbolic links resolved."""

    def __init__(self, folder: Path) -> None:
        self.folder = os.path.realpath(folder)

    def path(self, location: str) -> Path:
        """The local path of ``location``. Raises OutsideError."""
        path = local_path(location)
        real = os.path.realpath(path) if path else ""
        if not real.startswith(f"{self.folder}{os.sep}"):
            raise OutsideError(
                f"{location} is outside of {self.folder}",
                hint="a path was not rewritten by the restore; please report it",
            )
        return Path(real)


class ConfinedInput(LocalInput):
    """A local file to be read, by Arrow's own reader."""

    def open(self, seekable: bool = True) -> InputStream:
        del seekable
        return cast("InputStream", pa.OSFile(str(self._path), "r"))


class ConfinedIO(FileIO):
    """PyIceberg's files; nothing is written."""

    def __init__(self, confinement: Confinement) -> None:
        super().__init__({})
        self._confinement = confinement

    def new_input(self, location: str) -> InputFile:
        return ConfinedInput(location, path=self._confinement.path(location))

    def new_output(self, location: str) -> OutputFile:
        raise UnsupportedOperation(f"write {location}")

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise UnsupportedOperation(f"delete {location}")


class ConfinedFiles(LakeFiles):
    """Our own files; nothing is written."""

    def __init__(self, confinement: Confinement) -> None:
        self._confinement = confinement
        self._files = LocalLakeFiles()

    def stat(self, location: str) -> FileStat | None:
        return self._files.stat(self._inside(location))

    def read(self, location: str) -> bytes:
        return self._files.read(self._inside(location))

    def open(self, location: str) -> AbstractContextManager[Reader]:
        return self._files.open(self._inside(location))

    def create(self, location: str) -> AbstractContextManager[NewFile]:
        raise UnsupportedOperation(f"write {location}")

    def delete(self, location: str) -> None:
        raise UnsupportedOperation(f"delete {location}")

    def _inside(self, location: str) -> str:
        return str(self._confinement.path(location))
