"""Where files go when a table moves."""

import random

import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup.path_map import path_map, targets
from dp_assets.ports.closure import one_spelling

METADATA = {
    "location": "file:/old/t",
    "properties": {
        "write.data.path": "s3a://bucket/data/",
        "write.metadata.path": "/old/t/deeper/meta",
        "write.object-storage.path": "/old/t2",
    },
}
NEW = "s3://new/t"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("/old/t/data/a.parquet", "s3://new/t/data/a.parquet", id="inside"),
        pytest.param("file:///old/t/data/a", "s3://new/t/data/a", id="three-slashes"),
        pytest.param("file:/old/t/data/a", "s3://new/t/data/a", id="one-slash"),
        pytest.param("/old/t/deeper/meta/v1", "s3://new/t/deeper/meta/v1", id="property-inside"),
        pytest.param("/old/t/x%2Fy%25/grüße=1", "s3://new/t/x%2Fy%25/grüße=1", id="kept-as-it-is"),
    ],
)
def test_what_is_inside_keeps_its_place(old: str, new: str):
    assert path_map(METADATA, NEW)(old) == new


def test_the_longest_root_wins_and_a_name_is_no_prefix():
    to = path_map(METADATA, NEW)
    outside = to("s3://bucket/data/a/b")
    assert outside.startswith("s3://new/t/external/")
    assert outside.endswith("/a/b")
    assert to("/old/t2/a").startswith("s3://new/t/external/")
    assert to("/old/t22/a") != to("/old/t2/a")
    assert to("/old/t2/a").rpartition("/")[0] == to.folder("/old/t2")


def test_one_file_has_one_place_however_it_is_spelled():
    to = path_map(METADATA, NEW)
    for spellings in (
        ("/x/y", "file:/x/y", "file:///x/y"),
        ("s3://b/y", "s3a://b/y", "s3n://b/y"),
    ):
        assert len({to(path) for path in spellings}) == 1
        assert targets(spellings, to)


def test_files_of_one_name_from_two_folders_stay_two():
    to = path_map(METADATA, NEW)
    assert to("/one/a.parquet") != to("/two/a.parquet")


def test_two_files_that_would_become_one_are_refused():
    to = path_map(METADATA, NEW)
    taken = to("/one/a.parquet").replace(NEW, "/old/t")
    with pytest.raises(PermanentError, match=r"/one/a\.parquet and /old/t/external"):
        targets(["/one/a.parquet", taken], to)


def test_there_and_back_is_the_same_file():
    """Seeded: whatever lies under the location comes home, and no two files meet."""
    seed = 20130101
    print("seed", seed)  # noqa: T201
    chance = random.Random(seed)  # noqa: S311 - no secret
    there = path_map({"location": "/old/t"}, NEW)
    back = path_map({"location": NEW}, "/old/t")
    paths = {
        "/old/t/" + "/".join("".join(chance.choices("ab%/=. é", k=4)) for _ in range(3))
        for _ in range(500)
    }
    found = targets(paths, there)
    assert len(set(found.values())) == len(paths)
    assert all(back(new) == one_spelling(old) for old, new in found.items())
