"""The object store that an address names."""

from collections.abc import Mapping
from pathlib import Path

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.objects.object_store_local import LocalObjectStore
from dp_assets.adapters.objects.s3_settings import S3Options, bucket_and_key
from dp_assets.core.errors import ConfigurationError
from dp_assets.ports.object_store import ObjectStore


def open_store(
    url: str,
    *,
    properties: Mapping[str, str],
    tmp_dir: Path,
    options: S3Options | None = None,
) -> ObjectStore:
    """The store at ``/x``, ``file:///x`` or ``s3://bucket/prefix``; nothing is contacted yet.

    Args:
        url: the address.
        properties: PyIceberg's names (``s3.endpoint`` and so on); the AWS environment otherwise.
        tmp_dir: where large uploads to a bucket wait for their key.
        options: of a bucket; a folder has none.

    Raises:
        ConfigurationError: no such kind of address, or properties that cannot be meant.
    """
    path = local_path(url)
    if path is not None:
        return LocalObjectStore(path)
    found = bucket_and_key(url)
    if found is None:
        raise ConfigurationError(
            f"{url} is no place for objects", hint="known are folders and s3://bucket/prefix"
        )
    # Engines are imported when they are needed: most verbs never meet a bucket.
    from dp_assets.adapters.objects.object_store_s3 import S3ObjectStore
    from dp_assets.adapters.objects.s3_bucket import S3Bucket

    bucket, prefix = found
    return S3ObjectStore(
        S3Bucket(bucket, properties=properties, options=options or S3Options(), tmp_dir=tmp_dir),
        prefix=prefix.strip("/"),
    )
