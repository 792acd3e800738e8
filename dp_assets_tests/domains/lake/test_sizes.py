"""The spread of file sizes."""

import pytest

from dp_assets.core.units import KIB, MIB
from dp_assets.domains.lake.sizes import Bucket, histogram


def test_every_file_is_in_the_bucket_of_its_size():
    assert histogram([0, 64 * KIB - 1, 64 * KIB, 900 * MIB]) == (
        Bucket(0, 64 * KIB, files=2, bytes=64 * KIB - 1),
        Bucket(64 * KIB, MIB, files=1, bytes=64 * KIB),
        Bucket(MIB, 8 * MIB, files=0, bytes=0),
        Bucket(8 * MIB, 32 * MIB, files=0, bytes=0),
        Bucket(32 * MIB, 128 * MIB, files=0, bytes=0),
        Bucket(128 * MIB, 512 * MIB, files=0, bytes=0),
        Bucket(512 * MIB, None, files=1, bytes=900 * MIB),
    )


@pytest.mark.parametrize(("sizes", "buckets"), [([], 0), ([5], 1), ([2 * MIB, 3 * MIB], 1)])
def test_it_shows_the_buckets_in_use_only(sizes, buckets):
    found = histogram(sizes)
    assert len(found) == buckets
    assert sum(bucket.files for bucket in found) == len(sizes)
