"""The section `maintenance` of `lakehouse.yaml`: rules under free names, and its problems."""

import re
from pathlib import Path

import pytest

import dp_assets
from dp_assets.core.errors import ConfigurationError
from dp_assets.core.model_keys import known_keys
from dp_assets.domains.maintenance.conditions import Trigger
from dp_assets.domains.maintenance.said import DEFAULTS
from dp_assets.settings import Settings, load_settings

GUIDE = Path(dp_assets.__file__).parent.parent / "docs/maintenance.md"
AT = "maintenance:\n  policies:\n    raw.*:\n"


@pytest.fixture
def load(tmp_path):
    def load_text(text):
        file = tmp_path / "lakehouse.yaml"
        file.write_text(text)
        return load_settings(file, env={})

    return load_text


def test_without_a_line_there_are_no_rules_and_a_budget(load):
    found = load("").maintenance
    assert found.policies == {}
    assert (found.budget.tables_per_hour, found.budget.gib_per_hour) == (100, 100)


def test_rules_are_read_by_glob(load):
    settings = load(
        f"{AT}      enabled: no\n"
        "      expiry: {keep_days: 3, keep_snapshots: 10}\n"
        "      compaction:\n"
        "        when: small_files >= 50 and age >= 1 d\n"
        "        target_mib: auto\n"
        "        window: 22:00-06:00 mon-fri\n"
        "    raw.flights:\n"
        "      compaction: {target_mib: 256}\n"
    )
    rules = settings.maintenance.policies
    assert list(rules) == ["raw.*", "raw.flights"]
    assert rules["raw.*"].enabled is False
    assert (rules["raw.*"].expiry.keep_days, rules["raw.*"].expiry.keep_snapshots) == (3, 10)
    assert rules["raw.*"].compaction.when == "small_files >= 50 and age >= 1 d"
    assert [r.compaction.target_mib for r in rules.values()] == ["auto", 256]
    assert rules["raw.flights"].model_dump() == {"compaction": {"target_mib": 256}}
    key = ("maintenance", "policies", "raw.*", "compaction", "window")
    assert settings.origin(key) == "line 9"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f"{AT}      compaction:\n        windw: always",
            "line 5, maintenance.policies.raw.*.compaction.windw: unknown key; did you mean "
            "maintenance.policies.raw.*.compaction.window?",
        ),
        (
            f"{AT}      compction: {{}}",
            "line 4, maintenance.policies.raw.*.compction: unknown key; did you mean "
            "maintenance.policies.raw.*.compaction?",
        ),
        (
            f"{AT}      manifests: {{when: manifests > 3}}",
            "line 4, maintenance.policies.raw.*.manifests.when: 'manifests > 3' is not a condition "
            "such as small_files >= 10 or bytes >= 1 GiB and age >= 12 h",
        ),
        (
            f"{AT}      orphans: {{window: weekends}}",
            "line 4, maintenance.policies.raw.*.orphans.window: 'weekends' is not hours and "
            "weekdays in UTC, e.g. 22:00-06:00 mon-fri, or always",
        ),
        (
            f"{AT}      orphans: {{older_than_hours: 12}}",
            "line 4, maintenance.policies.raw.*.orphans.older_than_hours: '12' is not a whole "
            "number from 24 to 8760",
        ),
        (
            f"{AT}      compaction: {{target_mib: 0}}",
            "line 4, maintenance.policies.raw.*.compaction.target_mib: '0' is not a whole number "
            "of MiB from 1 to 4096, or auto: by size of the partition",
        ),
        (
            "maintenance:\n  policies:\n    raw.*: off",
            "line 3, maintenance.policies.raw.*: 'off' is not a section with the keys enabled, "
            "expiry, manifests, compaction, orphans",
        ),
        (
            "maintenance:\n  policies: none",
            "line 2, maintenance.policies: 'none' is not names, each with a section with the keys "
            "enabled, expiry, manifests, compaction, orphans",
        ),
        (
            "maintenance: {budget: {tables_hour: 3}}",
            "line 1, maintenance.budget.tables_hour: unknown key; did you mean "
            "maintenance.budget.tables_per_hour?",
        ),
    ],
)
def test_a_wrong_rule_is_named_with_line_key_and_what_is_allowed(load, tmp_path, text, problem):
    with pytest.raises(ConfigurationError) as caught:
        load(text)
    assert caught.value.what == f"{tmp_path}/lakehouse.yaml, {problem}"


def test_the_keys_of_rules_are_listed_with_the_name_left_free():
    keys = {".".join(key.path): key for key in known_keys(Settings)}
    found = [key for key in keys if key.startswith("maintenance.")]
    assert "maintenance.policies.<name>.compaction.target_mib" in found
    assert "maintenance.policies.<name>.enabled" in found
    assert keys["maintenance.policies.<name>.expiry.keep_days"].allowed == (
        "a whole number from 0 to 36500"
    )
    assert all(keys[key].description for key in found)


def test_what_the_guide_says_is_true(load):
    guide = GUIDE.read_text(encoding="utf-8")
    [shown] = re.findall(r"^```yaml\n(maintenance:.*?)^```", guide, re.MULTILINE | re.DOTALL)
    found = load(shown).maintenance
    assert found.policies["raw.*"].compaction.window == "22:00-06:00 mon-fri"
    assert found.budget == load("").maintenance.budget
    for operation, defaults in DEFAULTS.items():
        assert f"| `{operation}` | `{defaults['when']}` |" in guide
        assert (defaults["min_interval_hours"], defaults["timeout_minutes"]) == (6, 120)
        assert defaults["memory_mib"] == 400
    for trigger in Trigger:
        assert f"`{trigger}`" in guide
