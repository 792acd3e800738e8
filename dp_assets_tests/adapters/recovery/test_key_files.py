"""Key files: for their owner only, never overwritten, never shown."""

import os
from pathlib import Path

import pytest

from dp_assets.adapters.recovery.key_files import (
    make_identity_file,
    make_naming_key_file,
    public_keys,
    read_identities,
    read_naming_key,
)
from dp_assets.adapters.recovery.sealing import AgeSealing
from dp_assets.core.errors import ConfigurationError
from dp_assets_tests.domains.backup.repositories import person


def make_identity(path: Path) -> bool:
    return make_identity_file(path, now_ms=1_000_000_000_000)


@pytest.mark.parametrize("make", [make_identity, make_naming_key_file])
def test_a_key_is_for_its_owner_only_and_never_overwritten(tmp_path, make):
    file = tmp_path / "new" / "key"
    before = os.umask(0)
    try:
        assert make(file)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    content = file.read_bytes()
    assert not make(file)
    assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir()] == ["key"]


def test_an_identity_is_as_age_keygen_writes_it(tmp_path):
    file = tmp_path / "key"
    make_identity(file)
    first, second, third = file.read_text().splitlines()
    (public,) = public_keys(file)
    assert first == "# created: 2001-09-09T01:46:40Z"
    assert second == f"# public key: {public}"
    assert third.startswith("AGE-SECRET-KEY-1")
    assert [secret.reveal() for secret in read_identities(file)] == [third]


def test_a_naming_key_names(tmp_path):
    make_naming_key_file(tmp_path / "a")
    make_naming_key_file(tmp_path / "b")
    keys = [read_naming_key(tmp_path / name) for name in "ab"]
    names = {AgeSealing(naming_key=key).name_of("00" * 32) for key in keys}
    assert len(names) == 2


def test_several_private_keys_and_comments_may_be_in_one_file(tmp_path):
    file, people = tmp_path / "key", [person(), person()]
    text = "\n# mine\n" + "\n".join(f" {one.private.reveal()} " for one in people)
    file.write_text(text)
    assert public_keys(file) == tuple(one.public for one in people)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "No such file", id="none"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"age1public", "holds no private key", id="public"),
        pytest.param(b"\xff\xfe", "not text", id="binary"),
        pytest.param(b"AGE-SECRET-KEY-1ABC", "not an age key", id="short"),
    ],
)
def test_what_is_no_key_file_is_named_and_not_shown(tmp_path, content, said):
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said) as caught:
        public_keys(file)
    assert str(file) in str(caught.value)
    assert "AGE-SECRET-KEY-1ABC" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigurationError, match="cannot be made"):
        make_identity(tmp_path / "file" / "key")
