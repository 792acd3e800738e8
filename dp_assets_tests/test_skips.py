from pathlib import Path

import pytest

from dp_assets_tests import conftest

pytest_plugins = ["pytester"]

SKIPS = {
    "body": "import pytest\ndef test_x():\n    pytest.skip({reason!r})\n",
    "mark": "import pytest\n@pytest.mark.skip(reason={reason!r})\ndef test_x():\n    pass\n",
    "file": "import pytest\npytest.skip({reason!r}, allow_module_level=True)\n",
}


@pytest.fixture
def outcomes(pytester, monkeypatch):
    """Runs one test file beside a copy of our conftest; how many tests ended in which way."""
    pytester.makeconftest(Path(conftest.__file__).read_text(encoding="utf-8"))

    def run(source: str, *, ci: str) -> dict[str, int]:
        monkeypatch.setenv("DP_CI", ci)
        pytester.makepyfile(source)
        return pytester.runpytest_inprocess().parseoutcomes()

    return run


@pytest.mark.parametrize(
    ("where", "ended"),
    [("body", {"failed": 1}), ("mark", {"errors": 1}), ("file", {"errors": 1})],
)
def test_an_avoidable_skip_fails_where_everything_can_be_installed(outcomes, where, ended):
    assert outcomes(SKIPS[where].format(reason="no chromium"), ci="1") == ended


@pytest.mark.parametrize("where", SKIPS)
@pytest.mark.parametrize(
    ("reason", "ci"),
    [
        pytest.param("unavoidable: no ptrace here", "1", id="unavoidable"),
        pytest.param("no chromium", "0", id="not-in-ci"),
    ],
)
def test_other_skips_stay_skips(outcomes, where, reason, ci):
    assert outcomes(SKIPS[where].format(reason=reason), ci=ci) == {"skipped": 1}


def test_an_expected_failure_is_not_a_skip(outcomes):
    source = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_x():\n    assert 0\n"
    assert outcomes(source, ci="1") == {"xfailed": 1}
