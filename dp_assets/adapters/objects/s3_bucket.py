"""One bucket: objects by key, in bounded memory, in bounded time, with our errors.

A large object is sent in parts. S3 shows it only when all are there; the parts of an upload that
was killed stay hidden and cost storage until the bucket's lifecycle rule
``AbortIncompleteMultipartUpload`` removes them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from dp_assets.adapters.objects.s3_errors import conflict, repeated, s3_errors
from dp_assets.adapters.objects.s3_reader import S3Reader
from dp_assets.adapters.objects.s3_settings import S3Options, connect
from dp_assets.adapters.objects.upload_spool import UploadSpool
from dp_assets.core.errors import TransientError
from dp_assets.ports.object_store import CHUNK_BYTES, MissingObjectError, ObjectInfo

if TYPE_CHECKING:
    from obstore.store import S3Store

PART_BYTES = 8 << 20
PARTS_AT_ONCE = 3
MAX_PARTS = 10_000  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
DELETED_AT_ONCE = 1000
LISTED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of an object without reading it; ``etag`` changes with the content."""

    size: int
    etag: str


class S3Bucket:
    """Objects by their whole key. Safe for many threads.

    Args:
        name: of the bucket.
        properties: PyIceberg's names.
        options: how objects are written and how long is waited.
        tmp_dir: where large uploads wait.
    """

    def __init__(
        self, name: str, *, properties: Mapping[str, str], options: S3Options, tmp_dir: Path
    ) -> None:
        self._name = name
        self._properties = properties
        self._options = options
        self._tmp_dir = tmp_dir
        kind = options.storage_class
        self._attributes = {"Storage-Class": kind} if kind else None

    @cached_property
    def _store(self) -> S3Store:
        with self._errors("connect", ""):
            return connect(self._name, properties=self._properties, options=self._options)

    def create(self, key: str, content: bytes | bytearray) -> bool:
        """Store an object with one request unless the key is taken; False when it was."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with self._errors("write", key):
            try:
                obstore.put(self._store, key, content, mode="create", attributes=self._attributes)
            except AlreadyExistsError as error:
                return self._is_ours(key, content, refusal=error)
        return True

    def put(self, key: str, content: bytes | bytearray) -> None:
        """Store an object with one request, replacing what was there."""
        import obstore

        with self._errors("write", key):
            obstore.put(self._store, key, content, use_multipart=False, attributes=self._attributes)

    @contextmanager
    def spool(self) -> Generator[UploadSpool, None, None]:
        """Takes the bytes of an object until :meth:`send`."""
        spool = UploadSpool(self._tmp_dir, memory_bytes=self._options.memory_bytes)
        try:
            yield spool
        finally:
            spool.close()

    def send(self, spool: UploadSpool, key: str, *, replace: bool) -> bool:
        """Store what is in ``spool``; False when the key is taken and not to be replaced.

        S3 has no reliable create-if-absent for an object in parts: of two that send one large
        object under one key at the same moment both may get True.
        """
        if spool.file is None:
            if not replace:
                return self.create(key, spool.memory)
            self.put(key, spool.memory)
        elif not replace and self.head(key):
            return False
        else:
            self._send_parts(spool.file, key, size=spool.size)
        return True

    def _send_parts(self, file: IO[bytes], key: str, *, size: int) -> None:
        import obstore

        file.seek(0)
        with self._errors("write", key):
            obstore.put(
                self._store,
                key,
                file,
                chunk_size=max(PART_BYTES, size // (MAX_PARTS - 1) + 1),
                max_concurrency=PARTS_AT_ONCE,
                attributes=self._attributes,
            )

    @contextmanager
    def open(self, key: str) -> Generator[S3Reader, None, None]:
        """Read an object in order. Raises MissingObjectError."""
        import obstore

        with self._errors("read", key):
            found = obstore.get(self._store, key)
            size, stream = found.meta["size"], found.stream(min_chunk_size=CHUNK_BYTES)
        yield S3Reader(stream, size=size, where=self.where(key))

    def read(self, key: str) -> bytes:
        """The whole of an object. Raises MissingObjectError."""
        with self.open(key) as reader:
            return b"".join(iter(lambda: reader.read(CHUNK_BYTES), b""))

    def head(self, key: str) -> Head | None:
        """Size and etag; None when there is nothing."""
        import obstore

        try:
            with self._errors("look for", key):
                found = obstore.head(self._store, key)
        except MissingObjectError:
            return None
        return Head(found["size"], found["e_tag"] or found["last_modified"].isoformat())

    def list(self, folder: str) -> Iterator[ObjectInfo]:
        """Everything below ``folder`` ("" or ending in a slash), as the server orders it."""
        import obstore

        with self._errors("list", folder):
            pages = iter(obstore.list(self._store, folder or None, chunk_size=LISTED_AT_ONCE))
        while True:
            with self._errors("list", folder):
                page = next(pages, None)
            if page is None:
                return
            for one in page:
                modified_ms = round(one["last_modified"].timestamp() * 1000)
                yield ObjectInfo(one["path"], one["size"], modified_ms)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""
        import obstore

        rest = iter(keys)
        while some := [*islice(rest, DELETED_AT_ONCE)]:
            with self._errors("delete", some[0]):
                obstore.delete(self._store, some)

    def where(self, key: str) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self._name}/{key}"

    def _is_ours(self, key: str, content: bytes | bytearray, *, refusal: Exception) -> bool:
        """Whether a key that is taken was taken by this very call.

        The first try may have been done though its answer was lost; the second then finds the
        key taken. Equal content tells. And after a conflict perhaps nobody has stored anything.
        """
        if repeated(refusal):
            with suppress(MissingObjectError):
                return self.read(key) == content
        elif not conflict(refusal) or self.head(key):
            return False
        raise TransientError(
            f"write {self.where(key)}: somebody else writes or deletes it right now",
            hint="run it again",
        )

    def _errors(self, doing: str, key: str) -> AbstractContextManager[None]:
        return s3_errors(doing, self.where(key))
