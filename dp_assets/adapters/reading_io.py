"""Reading table files without PyArrow, whose import alone takes longer than listing a lakehouse.

Local files are opened as they are; other schemes go to the file IO that the catalog names.
"""

from functools import cached_property
from io import UnsupportedOperation
from pathlib import Path
from typing import cast

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, load_file_io
from pyiceberg.typedef import EMPTY_DICT, Properties

from dp_assets.adapters.local_files import local_path


class LocalInput(InputFile):
    """A local file to be read."""

    def __init__(self, location: str, *, path: Path) -> None:
        super().__init__(location)
        self._path = path

    def __len__(self) -> int:
        return self._path.stat().st_size

    def exists(self) -> bool:
        return self._path.exists()

    def open(self, seekable: bool = True) -> InputStream:
        del seekable
        return cast("InputStream", self._path.open("rb"))


class ReadingIO(FileIO):
    """Reads any location that the catalog can; writes and deletes nothing."""

    def __init__(self, properties: Properties = EMPTY_DICT) -> None:
        super().__init__(properties)

    @cached_property
    def _remote(self) -> FileIO:
        return load_file_io(self.properties, self.properties.get("warehouse"))

    def new_input(self, location: str) -> InputFile:
        path = local_path(location)
        return LocalInput(location, path=path) if path else self._remote.new_input(location)

    def new_output(self, location: str) -> OutputFile:
        raise UnsupportedOperation(f"write {location}")

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise UnsupportedOperation(f"delete {location}")
