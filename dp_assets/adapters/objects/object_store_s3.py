"""Objects below a prefix of a bucket: ``s3://bucket/prefix``.

Credentials that cannot delete are enough to back up: only :meth:`delete` needs the right.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from dp_assets.adapters.objects.object_keys import is_key, require_key, require_prefix
from dp_assets.adapters.objects.s3_bucket import S3Bucket, S3Reader
from dp_assets.adapters.objects.upload_spool import UploadSpool
from dp_assets.core.errors import PermanentError
from dp_assets.core.guards import unguarded
from dp_assets.ports.object_store import ObjectInfo, ObjectStore


class S3ObjectStore(ObjectStore):
    """A bucket as object store.

    Args:
        bucket: where the objects are.
        prefix: what all their keys begin with, without slashes around it; may be empty.
    """

    def __init__(self, bucket: S3Bucket, *, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    @property
    def address(self) -> str:
        return self._bucket.where(self._prefix).removesuffix("/")

    def create(self, key: str, content: bytes) -> bool:
        return self._bucket.create(self._key(key), content)

    def put(self, key: str, content: bytes, *, guard: Callable[[], None] = unguarded) -> None:
        guard()
        self._bucket.put(self._key(key), content)

    def settle(self) -> None:
        """Every object is durable once it is stored."""

    @contextmanager
    def upload(self) -> Generator["S3Upload", None, None]:
        with self._bucket.spool() as spool:
            yield S3Upload(self, spool)

    def send(self, spool: UploadSpool, key: str, *, replace: bool) -> None:
        """Store what is in ``spool`` unless the key is taken, or in its place."""
        self._bucket.send(spool, self._key(key), replace=replace)

    def read(self, key: str) -> bytes:
        return self._bucket.read(self._key(key))

    def open(self, key: str) -> AbstractContextManager[S3Reader]:
        return self._bucket.open(self._key(key))

    def size(self, key: str) -> int | None:
        found = self._bucket.head(self._key(key))
        return found.size if found else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        folder = require_prefix(prefix).rpartition("/")[0]
        below = self._prefix + (f"{folder}/" if folder else "")
        for info in in_order(self._bucket.list(below), self._bucket.where(below)):
            key = info.key.removeprefix(self._prefix)
            if key.startswith(prefix) and is_key(key):
                yield ObjectInfo(key, info.size, info.modified_ms)

    def delete(self, keys: Iterable[str]) -> None:
        self._bucket.delete(self._key(key) for key in keys)

    def _key(self, key: str) -> str:
        return self._prefix + require_key(key)


class S3Upload:
    """An object on its way to a bucket."""

    def __init__(self, store: S3ObjectStore, spool: UploadSpool) -> None:
        self._store = store
        self._spool = spool
        self.write = spool.write
        self.flush = spool.flush

    def commit(self, key: str, *, replace: bool = False, durable: bool = True) -> None:
        del durable  # every object is, once it is stored
        self._store.send(self._spool, key, replace=replace)


def in_order(listed: Iterable[ObjectInfo], where: str) -> Iterator[ObjectInfo]:
    """``listed`` itself. Raises PermanentError when it repeats something or goes backwards.

    S3 sorts whole keys. Some servers sort folder by folder, "a/b" before "a-b"; both are orders.
    """
    last = ""
    for info in listed:
        if info.key <= last and info.key.split("/") <= last.split("/"):
            raise PermanentError(
                f"the listing of {where} goes from {last!r} back to {info.key!r}",
                hint="the server repeats a page or does not sort; use another server or version",
            )
        last = info.key
        yield info
