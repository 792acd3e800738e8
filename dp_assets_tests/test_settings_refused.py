"""What is said about a `lakehouse.yaml` that is wrong."""

import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.settings import load_settings


@pytest.fixture
def file(tmp_path):
    return tmp_path / "lakehouse.yaml"


@pytest.fixture
def load(file):
    def load_text(text, **env):
        file.write_text(text)
        return load_settings(file, env=env)

    return load_text


@pytest.fixture
def refused(file, load):
    """The problem lines of a refused text, without the file's name."""

    def refused_text(text, **env):
        with pytest.raises(ConfigurationError) as caught:
            load(text, **env)
        first, *more = caught.value.what.splitlines()
        assert first.startswith(f"{file}, ")
        assert caught.value.hint
        return [line.strip() for line in more] or [first.removeprefix(f"{file}, ")]

    return refused_text


BAD = [
    ("enviroment: x", "line 1, enviroment: unknown key; did you mean environment?"),
    (
        "engines:\n  duckdb:\n    threds: 3",
        "line 3, engines.duckdb.threds: unknown key; did you mean engines.duckdb.threads?",
    ),
    (
        "memory_limit: 1GB",
        "line 1, memory_limit: unknown key; did you mean engines.duckdb.memory_limit?",
    ),
    ("zzz: 1", "line 1, zzz: unknown key"),
    ("path: /x", "line 1, path: unknown key"),
    ("state_dir: /x", "line 1, state_dir: unknown key; did you mean state?"),
    ("ui: {port: three}", "line 1, ui.port: 'three' is not a whole number from 1 to 65535"),
    ("ui: {port: 70000}", "line 1, ui.port: '70000' is not a whole number from 1 to 65535"),
    ("ui:\n  port:", "line 2, ui.port: no value is not a whole number from 1 to 65535"),
    ("ui: {port: [1]}", "line 1, ui.port: a list is not a whole number from 1 to 65535"),
    ("ui: 3000", "line 1, ui: '3000' is not a section with the keys port"),
    (
        "schedules: {enabled: 2}",
        "line 1, schedules.enabled: '2' is not true or false",
    ),
    (
        "schedules: {pipeline_cron: hourly}",
        "line 1, schedules.pipeline_cron: 'hourly' is not five fields of cron, e.g. 0 */6 * * *",
    ),
    (
        "catalog: {type: rst}",
        "line 1, catalog.type: 'rst' is not one of sql, rest, hive, glue, dynamodb, in-memory; "
        "did you mean rest?",
    ),
    (
        "catalog: {type: rest}",
        "line 1, catalog: uri is missing; a rest catalog has no default address",
    ),
    ("catalog: {uri: lake.db}", "line 1, catalog.uri: *** is not a URI such as "),
    (
        "catalog: {properties: {a: {b: c}}}",
        "line 1, catalog.properties.a: a section is not a text, or file:<path> of a secret",
    ),
    (
        "warehouse: {root: file://data/wh}",
        "line 1, warehouse.root: 'file://data/wh' names a host; a local folder is file:///path",
    ),
    (
        "state: 'a?b'",
        "line 1, state: 'a?b' leads to a path with ? or #, which no file URI can carry",
    ),
    (
        "pipeline: {demo_first_day: 2012-12-31}",
        "line 1, pipeline.demo_first_day: '2012-12-31' is not a date (YYYY-MM-DD) from "
        "2013-01-01 to 2013-12-31",
    ),
    (
        "pipeline: {demo_first_day: 2013-05-01}",
        "line 1, pipeline: demo_last_day 2013-03-31 is before demo_first_day 2013-05-01",
    ),
    (
        "contracts: {tolerances: {a: 2}}",
        "line 1, contracts.tolerances.a: '2' is not a number from 0 to 1",
    ),
    (
        "contracts: {tolerances: {a: .nan}}",
        "line 1, contracts.tolerances.a: '.nan' is not a number from 0 to 1",
    ),
    (
        "benchmarks:\n  expected_seconds:\n    joni: 3",
        "line 3, benchmarks.expected_seconds.joni: unknown name; allowed is one of count, "
        "aggregation, time_filter, join, hourly_percentile; did you mean join?",
    ),
    (
        "engines: {duckdb: {memory_limit: lots}}",
        "line 1, engines.duckdb.memory_limit: 'lots' is not a size such as 400MB or 2GiB",
    ),
    (
        "environment: file:/x",
        "line 1, environment: a secret file is read for catalog.uri and catalog.properties only",
    ),
    ("ui: {port: '${P}'}", "line 1, ui.port: environment variable P is not set"),
]


@pytest.mark.parametrize(("text", "problem"), BAD)
def test_a_wrong_value_is_named_with_line_key_and_what_is_allowed(refused, text, problem):
    (line,) = refused(text)
    assert line.startswith(problem)
    assert "input" not in line


def test_all_problems_are_in_one_error_in_the_order_of_lines(refused):
    text = "ui:\n  port: x\nfoo: 1\nenvironment: ${E}\nui: {}\nleases: {ttl_seconds: 1}\n"
    assert refused(text) == [
        "line 2, ui.port: 'x' is not a whole number from 1 to 65535",
        "line 3, foo: unknown key",
        "line 4, environment: environment variable E is not set",
        "line 5, ui: written twice; the first is on line 1",
        "line 6, leases.ttl_seconds: '1' is not a whole number from 5 to 86400",
    ]


@pytest.mark.parametrize(
    ("days", "problem"),
    [
        ("0", "DP_DAYS: '0' is not a whole number from 1 to 365"),
        ("366", "DP_DAYS: '366' is not a whole number from 1 to 365"),
        ("many", "DP_DAYS: 'many' is not a whole number from 1 to 365"),
        ("360", "DP_DAYS: 360 days from 2013-02-01 end after 2013-12-31"),
    ],
)
def test_a_wrong_number_of_days_is_named_by_its_variable(refused, days, problem):
    assert refused("pipeline: {demo_first_day: 2013-02-01}", DP_DAYS=days) == [problem]


def test_a_wrong_state_folder_is_named_by_its_variable(refused, tmp_path):
    (line,) = refused("", DP_STATE=f"{tmp_path}/a#b")
    assert line.startswith(f"DP_STATE: '{tmp_path}/a#b' leads to a path with ? or #")


def test_a_secret_file_that_is_not_there_is_named(refused, tmp_path):
    text = "catalog:\n  properties:\n    token: file:none\n"
    path = tmp_path / "none"
    assert refused(text) == [
        f"line 3, catalog.properties.token: secret file {path}: No such file or directory"
    ]
