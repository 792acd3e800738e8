"""The files of tables in buckets, reached with the catalog's properties."""

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.file_errors import taken
from dp_assets.adapters.objects.s3_settings import S3Options, bucket_and_key
from dp_assets.core.errors import ConfigurationError
from dp_assets.ports.lake_files import FileStat, LakeFiles, NewFile
from dp_assets.ports.object_store import Reader

if TYPE_CHECKING:
    from dp_assets.adapters.objects.s3_bucket import S3Bucket
    from dp_assets.adapters.objects.upload_spool import UploadSpool


class S3LakeFiles(LakeFiles):
    """Files in buckets. A key with an empty part (``a//b``) cannot be addressed.

    Args:
        properties: the catalog's.
        tmp_dir: where large files wait while they are written.
        options: how they are written and how long is waited.
    """

    def __init__(self, properties: Mapping[str, str], *, tmp_dir: Path, options: S3Options) -> None:
        self._properties = properties
        self._tmp_dir = tmp_dir
        self._options = options
        self._buckets: dict[str, S3Bucket] = {}

    def stat(self, location: str) -> FileStat | None:
        bucket, key = self._at(location)
        found = bucket.head(key)
        return FileStat(size=found.size, version=found.etag) if found else None

    def read(self, location: str) -> bytes:
        bucket, key = self._at(location)
        return bucket.read(key)

    def open(self, location: str) -> AbstractContextManager[Reader]:
        bucket, key = self._at(location)
        return bucket.open(key)

    @contextmanager
    def create(self, location: str) -> Generator[NewFile, None, None]:
        bucket, key = self._at(location)
        with bucket.spool() as spool:
            yield S3NewFile(bucket, spool, key=key)

    def delete(self, location: str) -> None:
        bucket, key = self._at(location)
        bucket.delete([key])

    def _at(self, location: str) -> tuple["S3Bucket", str]:
        from dp_assets.adapters.objects.s3_bucket import S3Bucket

        name, key = require_remote(location)
        if name not in self._buckets:
            # Two threads may both make one: a client more, nothing worse.
            self._buckets[name] = S3Bucket(
                name, properties=self._properties, options=self._options, tmp_dir=self._tmp_dir
            )
        return self._buckets[name], key


class S3NewFile:
    """A file on its way to a bucket."""

    def __init__(self, bucket: "S3Bucket", spool: "UploadSpool", *, key: str) -> None:
        self._bucket = bucket
        self._spool = spool
        self._key = key
        self.write = spool.write
        self.flush = spool.flush

    def commit(self, *, replace: bool = False, durable: bool = True) -> None:
        del durable  # every object is, once it is stored
        if not self._bucket.send(self._spool, self._key, replace=replace):
            raise taken(self._bucket.where(self._key))


def require_remote(location: str) -> tuple[str, str]:
    """Bucket and key of ``location``. Raises ConfigurationError for other schemes."""
    found = bucket_and_key(location)
    if found is None:
        raise ConfigurationError(
            f"{location} cannot be reached", hint="known are file:// and s3:// locations"
        )
    return found
