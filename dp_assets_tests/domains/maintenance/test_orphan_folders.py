"""The folders of a table, and what else may be in them."""

import pytest

from dp_assets.adapters.maintenance.file_identity import file_identity
from dp_assets.domains.maintenance.orphan_folders import (
    folder_key,
    folders_of,
    is_below,
    outermost,
    path_part,
    why_shared,
    why_too_wide,
)

KEY = file_identity()


def folders(**properties: str) -> dict[str, str]:
    named = {name.replace("_", "."): value for name, value in properties.items()}
    named = {name.replace("object.storage", "object-storage"): v for name, v in named.items()}
    metadata = {"location": "s3a://lake/t/", "properties": named}
    return outermost(folders_of(metadata, "s3://lake/t/metadata/1.metadata.json"), KEY)


def test_folders_inside_others_are_listed_with_them():
    assert folders() == {"s3://lake/t": "s3a://lake/t"}
    inside = folders(write_data_path="s3://LAKE//t/x/../data", write_metadata_path="s3://lake/t")
    assert inside == {"s3://lake/t": "s3a://lake/t"}


def test_folders_elsewhere_are_listed_too():
    found = folders(write_data_path="s3://other/d", write_object_storage_path="s3://lake/t2")
    assert set(found) == {"s3://lake/t", "s3://other/d", "s3://lake/t2"}


@pytest.mark.parametrize(
    ("folder", "kept", "words"),
    [
        ("s3://lake", "s3://lake/wh", "whole bucket"),
        ("/", "/wh", "whole bucket or disk"),
        ("s3://lake/wh", "s3://lake/wh", "contains the warehouse"),
        ("s3://lake/wh", "s3://lake/wh/_dp", "contains the warehouse"),
        ("s3://lake/wh/t", "s3://lake/wh", ""),
        ("s3://lake/wh", "s3://lake/wh2", ""),
    ],
)
def test_what_is_certainly_not_a_tables_alone(folder: str, kept: str, words: str):
    own = {folder_key(folder, KEY): folder}
    assert words in why_too_wide(own, {folder_key(kept, KEY): "the warehouse"})
    assert bool(why_too_wide(own, {folder_key(kept, KEY): "the warehouse"})) == bool(words)


@pytest.mark.parametrize(
    ("other", "shares"),
    [
        ("s3://lake/t", True),
        ("s3n://LAKE/t/data/x", True),
        ("s3://lake", True),
        ("s3://lake/t2", False),
        ("s3://lake/tt", False),
        ("s3://lake2/t", False),
        ("/t", False),
    ],
)
def test_two_tables_in_one_place(other: str, shares: bool):
    assert bool(why_shared(folders(), [folder_key(other, KEY)], "a.b")) == shares


def test_what_is_below():
    assert is_below("/a/b", "/a/b")
    assert is_below("/a/b/c", "/a/b")
    assert not is_below("/a/bc", "/a/b")


def test_a_path_without_its_store():
    assert path_part("s3://lake/t/f") == path_part("s3://other/t/f") == path_part("/t/f") == "/t/f"
