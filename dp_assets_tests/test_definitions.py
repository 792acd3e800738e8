"""The whole graph, one line per asset: a change that nobody meant is seen here."""

import gc
import os
import subprocess
import sys

import dagster as dg
import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.definitions import defs
from dp_assets.ports.maintenance import Operation

GRAPH = """
analytics/on_time_report group=analytics partitions=- checks=-
    after=curated/flights,raw/airlines
analytics/validation group=analytics partitions=- checks=-
    after=analytics/on_time_report,features/carrier_day,features/route_day
backup/drill group=backup partitions=Daily checks=proven,rpo_within,rto_within
    after=backup/verification
backup/metastore_dump group=backup partitions=Daily checks=dump_restores
    after=lake/inventory
backup/recovery_point group=backup partitions=Daily \
checks=complete,consistent_cut,fresh,size_plausible,success_rate
    after=lake/inventory
backup/replica group=backup partitions=Daily checks=lag_within
    after=backup/recovery_point
backup/retention group=backup partitions=Daily checks=-
    after=backup/verification
backup/verification group=backup partitions=Daily checks=undamaged
    after=backup/recovery_point
benchmarks/results group=benchmarks partitions=- checks=mostly_pass
    after=analytics/on_time_report,curated/flights
curated/flights group=curated partitions=Daily checks=contract
    after=raw/airlines,raw/airports,raw/flights,raw/planes,raw/weather
features/carrier_day group=features partitions=Daily checks=contract
    after=curated/flights
features/route_day group=features partitions=Daily checks=contract
    after=curated/flights
lake/inventory group=lake partitions=- checks=partitions_equal_catalog
    after=-
maintenance/compaction group=maintenance partitions=Dynamic \
checks=closure_complete,memory_within_limit,not_refused,refs_survive,rows_unchanged,small_files_fell
    after=maintenance/manifests
maintenance/expiry group=maintenance partitions=Dynamic \
checks=closure_complete,memory_within_limit,not_refused,refs_survive,rows_unchanged
    after=maintenance/health
maintenance/health group=maintenance partitions=- checks=every_table_measured,none_needs_maintenance
    after=lake/inventory
maintenance/manifests group=maintenance partitions=Dynamic \
checks=closure_complete,memory_within_limit,not_refused,refs_survive,rows_unchanged
    after=maintenance/expiry
maintenance/orphans group=maintenance partitions=Dynamic \
checks=closure_complete,memory_within_limit,not_refused
    after=maintenance/compaction
ops/facts group=ops partitions=- checks=-
    after=benchmarks/results,quality/day_verdicts
quality/day_verdicts group=quality partitions=Daily checks=-
    after=features/carrier_day,features/route_day
raw/airlines group=raw partitions=- checks=contract
    after=-
raw/airports group=raw partitions=- checks=contract
    after=-
raw/flights group=raw partitions=Daily checks=contract
    after=-
raw/planes group=raw partitions=- checks=contract
    after=-
raw/weather group=raw partitions=Daily checks=contract
    after=-
reports/pipeline group=reports partitions=- checks=-
    after=analytics/on_time_report,analytics/validation,lake/inventory,ops/facts
"""

JOBS = ("days", "dimensions", "features", "health", "inventory", "report")


@pytest.fixture
def loaded(tmp_path, monkeypatch) -> dg.Definitions:
    """The code location where no lakehouse was ever made and no service is up."""
    monkeypatch.setenv("DP_STATE", str(tmp_path / "nowhere"))
    monkeypatch.delenv("DP_CONFIG", raising=False)
    found = defs()
    assert not (tmp_path / "nowhere").exists()
    return found


def line(node) -> str:
    checks = sorted(key.name for key in node.check_keys)
    partitions = type(node.partitions_def).__name__.removesuffix("PartitionsDefinition")
    return (
        " ".join(
            [
                node.key.to_user_string(),
                f"group={node.group_name}",
                f"partitions={'-' if node.partitions_def is None else partitions}",
                f"checks={','.join(checks) or '-'}",
            ]
        )
        + f"\n    after={','.join(sorted(k.to_user_string() for k in node.parent_keys)) or '-'}"
    )


def test_graph(loaded):
    nodes = sorted(loaded.resolve_asset_graph().asset_nodes, key=lambda n: n.key)
    assert "\n".join(line(node) for node in nodes) == GRAPH.strip()


def test_every_asset_has_a_description_an_owner_and_kinds(loaded):
    graph = loaded.resolve_asset_graph()
    bare = [
        node.key.to_user_string()
        for node in graph.asset_nodes
        if not (node.description and node.owners and node.kinds)
    ]
    assert bare == []


def test_everything_that_runs_by_itself_is_declared_and_stopped(loaded):
    repository = loaded.get_repository_def()
    schedules = {s.name: s.default_status.value for s in repository.schedule_defs}
    sensors = {s.name: s.default_status.value for s in repository.sensor_defs}
    names = ["pipeline", "report", "metastore_dump", "recovery_point", "verification"]
    names += ["retention", "drill", "full_drill", "maintenance"]
    assert schedules == dict.fromkeys(names, "STOPPED")
    names = ["tables_moved", "health_due", "maintenance_due", "rows_wait"]
    assert sensors == dict.fromkeys(names, "STOPPED")


def test_one_setting_starts_everything(tmp_path, monkeypatch):
    settings = tmp_path / "lakehouse.yaml"
    settings.write_text("schedules:\n  enabled: true\n")
    monkeypatch.setenv("DP_CONFIG", str(settings))
    repository = defs().get_repository_def()
    found = [*repository.schedule_defs, *repository.sensor_defs]
    assert {d.default_status.value for d in found} == {"RUNNING"}


def test_bad_settings_are_a_load_error_with_file_and_line(tmp_path, monkeypatch):
    settings = tmp_path / "lakehouse.yaml"
    settings.write_text("environment: x\nschedules:\n  enabld: true\n")
    monkeypatch.setenv("DP_CONFIG", str(settings))
    with pytest.raises(
        ConfigurationError, match=r"line 3, schedules\.enabld: unknown key"
    ) as caught:
        defs()
    assert "did you mean schedules.enabled?" in str(caught.value)


@pytest.fixture
def collector():
    """The garbage collector, left as it was found."""
    enabled = gc.isenabled()
    yield gc
    (gc.enable if enabled else gc.disable)()


def test_loading_says_nothing_that_a_person_would_have_to_read(tmp_path):
    """In a process of its own: what Dagster warns of at an import it says once."""
    load = "from dp_assets.definitions import defs; defs()"
    done = subprocess.run(
        [sys.executable, "-c", load],
        env={**os.environ, "DP_STATE": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("enabled", [True, False])
def test_loading_leaves_the_garbage_collector_as_it_was(tmp_path, monkeypatch, collector, enabled):
    monkeypatch.setenv("DP_STATE", str(tmp_path))
    (collector.enable if enabled else collector.disable)()
    frozen = collector.get_freeze_count()
    defs()
    assert collector.isenabled() is enabled
    assert collector.get_freeze_count() <= frozen


def test_a_location_that_cannot_load_leaves_the_garbage_collector_on(monkeypatch, collector):
    collector.enable()

    def broken(*_: object) -> dg.Definitions:
        raise ImportError("broken folder")

    monkeypatch.setattr(dg.ComponentTree, "build_defs", broken)
    with pytest.raises(ImportError, match="broken folder"):
        defs()
    assert collector.isenabled()


@pytest.mark.parametrize("job", [*JOBS, *Operation, "maintenance"])
def test_jobs(loaded, job):
    assert loaded.resolve_job_def(job).description
