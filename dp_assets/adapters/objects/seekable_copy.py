"""A lake file where it can be read in any order."""

from collections.abc import Generator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO

from dp_assets.adapters.objects.file_errors import file_errors
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.object_store import CHUNK_BYTES

IN_MEMORY_BYTES = 16 << 20


@contextmanager
def seekable_copy(files: LakeFiles, path: str) -> Generator[IO[bytes], None, None]:
    """The file at ``path``: in memory, in a nameless temporary file when it is large.

    Raises MissingObjectError, PermanentError, TransientError.
    """
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as copy:
        with files.open(path) as reader:
            while chunk := reader.read(CHUNK_BYTES):
                with file_errors("write", "a temporary file"):
                    copy.write(chunk)
        copy.seek(0)
        yield copy
