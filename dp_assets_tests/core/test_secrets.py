import pickle

import pytest

from dp_assets.core.secrets import Address, Secret, names_secret, read_secret_file, redact


def test_a_secret_is_displayed_as_stars_only():
    secret = Secret("hunter2")
    shown = (str(secret), repr(secret), f"{secret}", f"{secret:>10}", repr([secret]), f"{secret!s}")
    assert "hunter2" not in "".join(shown)
    assert secret.reveal() == "hunter2"


def test_secrets_compare_by_their_text():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sqlite:////data/catalog.db", "sqlite:////data/catalog.db"),
        ("postgresql://u:hunter2@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql://u:hun@ter/2@h/d", "postgresql://u:***@h/d"),
        ("postgresql:/u:hunter2@h/d", "postgresql:/u:***@h/d"),
        ("u:hunter2@h/d", "u:***@h/d"),
        ("https://hunter2@h/d", "https://***@h/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql://h/d?user=u&password=hunter2", "postgresql://h/d?user=u&password=***"),
        ("https://h/d?sslmode=on;api_key=hunter2#top", "https://h/d?sslmode=on;api_key=***#top"),
        ("s3://bucket/folder/a@b", "s3://bucket/folder/a@b"),
    ],
)
def test_redact_hides_passwords_and_leaves_the_rest(address, shown):
    assert redact(address) == shown


def test_an_address_is_its_text_and_shows_less():
    address = Address("postgresql://u:hunter2@h/d")
    assert address == "postgresql://u:hunter2@h/d"
    assert repr(address) == "'postgresql://u:***@h/d'"
    assert pickle.loads(pickle.dumps(address)) == address  # noqa: S301 - made one line above


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("s3.secret-access-key", True),
        ("s3.access-key-id", True),
        ("adls.sas-token", True),
        ("credential", True),
        ("adls.connection-string", True),
        ("s3.region", False),
        ("s3.endpoint", False),
        ("monkey", False),
    ],
)
def test_property_names_that_hold_secrets_are_known(name, secret):
    assert names_secret(name) is secret


def test_a_secret_file_loses_its_last_line_break_only(tmp_path):
    (tmp_path / "s").write_text(" hunter2 \n")
    assert read_secret_file(tmp_path / "s") == " hunter2 "


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        pytest.param(None, "No such file or directory", id="missing"),
        pytest.param(b"\n", "is empty", id="empty"),
        pytest.param(b"\xff\xfe\x00", "is not text in UTF-8", id="binary"),
    ],
)
def test_a_secret_file_without_a_text_is_named(tmp_path, content, wrong):
    file = tmp_path / "s"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=wrong) as caught:
        read_secret_file(file)
    assert str(file) in str(caught.value)
