"""Lists what is in the folders of a table, on disks and in buckets, in bounded memory."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.objects.file_errors import file_errors
from dp_assets.adapters.objects.s3_settings import S3Options, bucket_and_key
from dp_assets.core.errors import ConfigurationError
from dp_assets.ports.object_store import MissingObjectError
from dp_assets.ports.orphans import ListedFile, Listing


def listing(properties: Mapping[str, str], *, tmp_dir: Path) -> Listing:
    """The listing of folders where the catalog's ``properties`` say; nothing is contacted yet.

    What is in a bucket under a key with an empty part (``a//b``) stops the listing: such an
    object cannot be addressed. Uploads in parts that were never finished are in no listing; the
    bucket's lifecycle rule removes them.
    """

    def listed(folder: str) -> Iterator[ListedFile]:
        path = local_path(folder)
        if path is not None:
            return _on_disk(path, folder)
        return _in_bucket(folder, properties, tmp_dir)

    return listed


def _on_disk(root: Path, folder: str) -> Iterator[ListedFile]:
    """A folder that vanishes meanwhile is empty: whether files are missed is judged elsewhere."""
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            # The root itself may be a symbolic link, as everybody who opens a file below it.
            with file_errors("list", root / below), os.scandir(root / below) as entries:
                for entry in entries:
                    name = f"{below}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{name}/")
                    elif entry.is_file(follow_symlinks=False):
                        found = entry.stat(follow_symlinks=False)
                        yield ListedFile(
                            f"{folder}/{name}", found.st_size, found.st_mtime_ns // 1_000_000
                        )
        except MissingObjectError:
            continue


def _in_bucket(folder: str, properties: Mapping[str, str], tmp_dir: Path) -> Iterator[ListedFile]:
    from dp_assets.adapters.objects.object_store_s3 import in_order
    from dp_assets.adapters.objects.s3_bucket import S3Bucket

    found = bucket_and_key(folder)
    if found is None:
        raise ConfigurationError(
            f"{folder} cannot be listed", hint="known are file:// and s3:// locations"
        )
    name, prefix = found
    bucket = S3Bucket(name, properties=properties, options=S3Options(), tmp_dir=tmp_dir)
    prefix = f"{prefix.strip('/')}/"
    for info in in_order(bucket.list(prefix), bucket.where(prefix)):
        path = f"{folder}/{info.key.removeprefix(prefix)}"
        yield ListedFile(path, info.size, info.modified_ms)
