"""`dp demo`, `dp run` and `dp status` on three days of the real flights."""

import json
from collections.abc import Callable, Generator
from pathlib import Path

import dagster as dg
import pytest

from dp_assets import keys
from dp_assets.cli.main import main
from dp_assets.cli.output import Output
from dp_assets.orchestration.planning import Planned, parse_days, plan_pipeline
from dp_assets.orchestration.running import dagster_instance
from dp_assets.settings import load_settings

DAYS = ["2013-01-01", "2013-01-02", "2013-01-03"]
ROWS = {"raw.flights": 842 + 943 + 914, "curated.flights": 842 + 943 + 914, "raw.airlines": 16}
Dp = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    """The state folder of a demo of three days, made once."""
    state = tmp_path_factory.mktemp("demo") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_STATE", str(state))
        patch.setenv("DP_DAYS", "3")
        patch.delenv("DP_CONFIG", raising=False)
        assert main(["demo"]) == 0
        yield state


@pytest.fixture
def dp(demo: Path, capsys: pytest.CaptureFixture[str]) -> Dp:
    """Run a verb on the demo: its exit code and what it printed."""

    def call(*argv: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(list(argv))
        return code, capsys.readouterr().out

    return call


def test_demo_fills_every_layer_and_writes_the_report(demo, dp):
    code, text = dp("run", "--days", "2013-01-01..2013-01-03", "--json")
    said = json.loads(text)
    assert code == 0
    assert {name: said["rows"][name] for name in ROWS} == ROWS
    assert said["rows"]["analytics.validation"] == 10
    assert said["checks"]["failed"] == 0
    assert said["checks"]["passed"] > 500
    assert [b["query"] for b in said["benchmarks"]] == sorted(
        load_settings().benchmarks.expected_seconds
    )
    page = Path(said["report"]).read_text()
    assert "2,699" in page


def test_a_second_demo_runs_nothing(dp):
    code, text = dp("demo", "--json")
    assert (code, json.loads(text)["runs"]) == (0, [])
    assert "everything is up to date" in dp("demo")[1]


def test_every_materialization_names_a_snapshot_of_the_table(demo):
    from dp_assets.lakehouse import opened

    with dagster_instance(load_settings()) as instance, opened() as lake:
        for key in (keys.RAW_FLIGHTS, keys.CURATED_FLIGHTS, keys.ROUTE_DAY):
            table = lake.catalog.load_table(".".join(key.path))
            committed = {str(s.snapshot_id) for s in table.metadata.snapshots}
            records = instance.fetch_materializations(key, limit=10).records
            named = {
                str(r.asset_materialization.metadata["snapshot_id"].value)
                for r in records
                if r.asset_materialization
            }
            assert named
            assert named <= committed


def test_verdicts_are_on_their_partitions(demo):
    with dagster_instance(load_settings()) as instance:
        history = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(keys.RAW_FLIGHTS, "contract"), limit=10
        )
    assert sorted(str(record.partition) for record in history) == DAYS


def test_status_shows_every_asset_and_what_is_due(dp):
    code, text = dp("status", "--json")
    rows = {row["asset"]: row for row in json.loads(text)}
    assert code == 0
    assert set(rows) >= {"raw/flights", "features/carrier_day", "reports/pipeline", "ops/facts"}
    assert rows["raw/flights"]["partitions"] == 3
    assert "due: 362 days" in dp("status")[1]


def test_one_day_again_makes_its_features_and_the_next_due(demo, dp):
    with dagster_instance(load_settings()) as instance:
        assert plan_pipeline(instance, DAYS, at_most=31) == ()
        dp("run", "days", "--days", "2013-01-01")
        [planned] = plan_pipeline(instance, DAYS, at_most=31)
    assert str(planned) == "features 2013-01-02..2013-01-03"
    assert dp("run", "--days", "2013-01-01..2013-01-03")[0] == 0
    assert json.loads(dp("demo", "--json")[1])["rows"]["raw.flights"] == ROWS["raw.flights"]


def test_quality_results_hold_every_check_of_every_day(demo, dp):
    sql = (
        'select count(distinct ("table", "check")), count(distinct "partition") '
        "from ops.data_quality_results where \"table\" = 'raw.flights'"
    )
    code, text = dp("query", sql, "--format", "csv")
    assert code == 0
    assert text.splitlines()[1] == "46,3"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        pytest.param(["run", "nonsense"], "there is no job nonsense", id="unknown-job"),
        pytest.param(["run", "--days", "2014-02-01"], "2014-02-01 is not a range", id="other-year"),
        pytest.param(["run", "--days", "2013-02-02..2013-02-01"], "is not a range", id="backwards"),
        pytest.param(["run", "--days", "soon"], "soon is not a range", id="no-date"),
    ],
)
def test_bad_arguments_name_themselves(demo, capsys, argv, said):
    assert main(argv) == 2
    assert said in capsys.readouterr().err


def test_nothing_runs_before_init(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DP_STATE", str(tmp_path / "empty"))
    assert main(["run"]) == 2
    assert "'dp init' makes it" in capsys.readouterr().err
    assert not (tmp_path / "empty").exists()


def test_a_run_whose_process_was_killed_is_ended_by_the_next(demo):
    import subprocess
    import sys

    from dp_assets.adapters.lease_owner import owner_text
    from dp_assets.definitions import defs
    from dp_assets.orchestration.made import OWNER
    from dp_assets.orchestration.running import Runner

    dead = subprocess.run(
        [
            sys.executable,
            "-c",
            "from dp_assets.adapters.lease_owner import owner_text as o;print(o('x'))",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert dead != owner_text("x")
    with dagster_instance(load_settings()) as instance:
        left = instance.create_run_for_job(
            job_def=defs().resolve_job_def("days"),
            tags={OWNER: dead},
            status=dg.DagsterRunStatus.STARTED,
        )
        finished = Runner(instance, defs(), Output().progress).run(Planned("inventory"))
        assert finished.success
        ended = instance.get_run_by_id(left.run_id)
        assert ended is not None
        assert ended.status is dg.DagsterRunStatus.FAILURE


def test_all_days_are_the_default():
    assert (len(parse_days("")), parse_days("2013-12-31")) == (365, ["2013-12-31"])
