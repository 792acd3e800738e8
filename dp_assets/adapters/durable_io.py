"""PyIceberg's file IO with durable writes on a local disk.

PyIceberg hands a table's files to the page cache and moves the catalog's pointer: a power loss in
between leaves a pointer to an empty file (FAULTS: ClickHouse #111726 and others). Here each new
file and the folders that name it are on the disk before the writer returns. Other schemes than
``file`` go to PyIceberg unchanged. Chosen by the catalog property ``py-io-impl``.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pyiceberg.io import FileIO, InputFile, OutputFile, OutputStream
from pyiceberg.io.pyarrow import PyArrowFileIO

from dp_assets.adapters.local_files import local_path, make_folders, sync_folder


class DurableStream:
    """A local file being written; closing it puts bytes and name on the disk."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        make_folders(path.parent)
        self._path = path
        self._file: BinaryIO = path.open("wb" if overwrite else "xb")
        self.closed = False

    def write(self, b: bytes) -> int:
        return self._file.write(b)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
        sync_folder(self._path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exctype: type[BaseException] | None,
        excinst: BaseException | None,
        exctb: TracebackType | None,
    ) -> None:
        self.close()


class DurableOutput(OutputFile):
    """A local file to be written."""

    def __init__(self, location: str, *, path: Path, reader: InputFile) -> None:
        super().__init__(location)
        self._path = path
        self._reader = reader

    def __len__(self) -> int:
        return self._path.stat().st_size

    def exists(self) -> bool:
        return self._path.exists()

    def to_input_file(self) -> InputFile:
        return self._reader

    def create(self, overwrite: bool = False) -> OutputStream:
        return DurableStream(self._path, overwrite=overwrite)


class DurableFileIO(PyArrowFileIO):
    """Local writes through :class:`DurableStream`; everything else as PyIceberg does it."""

    # The base promises its own file class; callers use what OutputFile has.
    def new_output(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, location: str
    ) -> OutputFile:
        path = local_path(location)
        if path is None:
            return super().new_output(location)
        return DurableOutput(location, path=path, reader=self.new_input(location))


def file_size(io: FileIO, location: str) -> int:
    """Size in bytes. Raises FileNotFoundError when it is not there."""
    return len(io.new_input(location))
