"""The resource and Dagster's own event store, on a real instance with real runs."""

from collections.abc import Generator
from pathlib import Path

import dagster as dg
import pytest

from dp_assets.orchestration.made import OWNER
from dp_assets.orchestration.resources import LakehouseResource


@pytest.fixture
def instance(tmp_path: Path) -> Generator[dg.DagsterInstance, None, None]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as found:
        yield found


def logs_kept(instance: dg.DagsterInstance, tags: dict[str, str]) -> set[str]:
    """Which write-ahead logs are there while a step runs, between Dagster's connections."""
    seen: set[str] = set()

    @dg.asset
    def step(context: dg.AssetExecutionContext, house: LakehouseResource) -> None:
        del house
        context.log.info("an event")
        names = {f"{context.run.run_id}.db-wal": "run", "index.db-wal": "index"}
        folder = Path(instance.root_directory, "history", "runs")
        seen.update(names[f.name] for f in folder.glob("*-wal"))

    done = dg.materialize(
        [step], instance=instance, resources={"house": LakehouseResource()}, tags=tags
    )
    assert done.success
    return seen


def test_the_index_stays_open_and_the_page_of_a_run_can_watch_its_own_file(instance):
    assert logs_kept(instance, {}) == {"index"}


def test_a_run_that_shows_its_own_progress_keeps_both_open(instance):
    assert logs_kept(instance, {OWNER: "this process"}) == {"index", "run"}


def test_nothing_is_left_open_after_the_run(instance):
    logs_kept(instance, {OWNER: "this process"})
    assert not list(Path(instance.root_directory).rglob("*.db-wal"))


def test_an_instance_without_these_files_is_left_alone():
    with dg.DagsterInstance.ephemeral() as nowhere:
        assert logs_kept(nowhere, {}) == set()
