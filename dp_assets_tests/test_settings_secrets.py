"""Nothing shows a secret: no display of the settings, and no error about them."""

import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.secrets import Secret
from dp_assets.settings import load_settings


@pytest.fixture
def load(tmp_path):
    def load_text(text, **env):
        file = tmp_path / "lakehouse.yaml"
        file.write_text(text)
        return load_settings(file, env=env)

    return load_text


SECRETS = """
catalog:
  uri: postgresql://u:hunter2@h/d?sslpassword=hunter2
  properties:
    s3.secret-access-key: hunter2
    s3.endpoint: ${ENDPOINT}
    other: file:secret
    s3.region: eu
"""


@pytest.fixture
def with_secrets(load, tmp_path):
    (tmp_path / "secret").write_text("hunter2\n")
    return load(SECRETS, ENDPOINT="https://hunter2@h")


def test_secrets_reach_the_call_that_connects(with_secrets):
    assert with_secrets.catalog.uri == "postgresql://u:hunter2@h/d?sslpassword=hunter2"
    assert with_secrets.catalog.plain_properties() == {
        "s3.secret-access-key": "hunter2",
        "s3.endpoint": "https://hunter2@h",
        "other": "hunter2",
        "s3.region": "eu",
    }
    assert with_secrets.catalog.properties["other"] == Secret("hunter2")


@pytest.mark.parametrize(
    "display",
    [
        repr,
        str,
        lambda s: s.model_dump_json(),
        lambda s: repr(s.model_dump()),
        lambda s: repr(dict(s.catalog)),
        lambda s: f"{s.catalog.properties}",
        lambda s: s.catalog.uri.redacted,
    ],
)
def test_no_display_of_the_settings_shows_a_secret(with_secrets, display):
    shown = display(with_secrets)
    assert "***" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "catalog: {uri: 'hunter2'}",
        "catalog: {uri: 'u:hunter2@h/d'}",
        "catalog: {uri: '${PW}'}",
        "catalog: {uri: file:secret}",
        "catalog: {properties: {password: [hunter2]}}",
        "catalog: {properties: {password: {a: hunter2}}}",
        "catalog: {properties: {password: hunter2}, type: no}",
        "ui: {port: '${PW}'}",
        "environment: [hunter2]",
        "engines: {duckdb: {memory_limit: '${PW}'}}",
        "schedules: {report_cron: '${PW}'}",
        "warehouse: {root: 'file://u:hunter2@h'}",
        "warehouse: {root: '${PW}#'}",
        "state: '${PW}?'",
        "pasword: hunter2",
        "catalog: hunter2:\n",
        "contracts: {tolerances: {a: '${PW}'}}",
        "catalog: {type: '${PW}'}",
    ],
)
def test_no_error_shows_a_secret(load, tmp_path, text):
    (tmp_path / "secret").write_text("hunter2")
    with pytest.raises(ConfigurationError) as caught:
        load(text, PW="hunter2")
    assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
