"""Expiry and the trash with tables of a REST catalog, in a real bucket."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.exceptions import CommitStateUnknownException

from dp_assets.core.errors import OutcomeUnknownError
from dp_assets.core.ids import TableId
from dp_assets.lakehouse import Lakehouse, connect, opened
from dp_assets.ports.maintenance_trash import TrashState
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.maintenance.trash import open_trash, take_out
from dp_assets_tests.recovery.rest_lakes import rest_settings
from dp_assets_tests.services import Rest
from dp_assets_tests.usecases.backup.readings import fingerprint
from dp_assets_tests.usecases.maintenance.expiries import (
    FREED,
    TABLE,
    after_the_window,
    make_table,
    record_of,
    run_expiry,
    there,
)

Commit = Callable[..., Any]


@pytest.fixture
def lake(tmp_path: Path, rest: Rest) -> Generator[Lakehouse, None, None]:
    settings = rest_settings(tmp_path / "lakehouse.yaml", rest)
    initialise(settings)
    with opened(settings) as found:
        make_table(found, TABLE)
        yield found


def readings(lake: Lakehouse, name: TableId = TABLE) -> dict[str, str]:
    table = lake.catalog.load_table(name.identifier)
    found = {
        f"{s.snapshot_id}": fingerprint(table.scan(snapshot_id=s.snapshot_id).to_arrow())
        for s in table.snapshots()
    }
    return {**found, **{r: fingerprint(table.scan().use_ref(r).to_arrow()) for r in table.refs()}}


def interfering(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch, act: Callable[[Commit, Any], Any]
) -> None:
    """``act`` gets the catalog's own commit and its arguments, once."""
    commit, done = lake.catalog.commit_table, []

    def once(*given: Any) -> Any:
        if done:
            return commit(*given)
        done.append(given)
        return act(commit, given)

    monkeypatch.setattr(lake.catalog, "commit_table", once)


def test_it_expires_comes_back_and_goes(lake: Lakehouse):
    before = readings(lake)
    run_expiry(lake)
    after = readings(lake)
    assert len(after) == 5  # two of main, the tagged one, two refs
    assert after.items() <= before.items()
    record = record_of(lake)
    assert (len(record.files), there(lake, record)) == (FREED, FREED)
    side = TableId.parse(take_out(lake, record.id).side_table)
    assert readings(lake, side) == before
    lake.catalog.drop_table(side.identifier)
    after_the_window(lake)
    assert there(lake, record) == 0
    assert readings(lake) == after
    assert open_trash(lake).all() == ()


def test_an_answer_that_was_lost_after_success_is_resolved(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch
):
    def lose(commit: Commit, given: Any) -> Any:
        commit(*given)
        raise CommitStateUnknownException("504")

    interfering(lake, monkeypatch, lose)
    done = run_expiry(lake)
    assert len(readings(lake)) == 5
    assert record_of(lake).state is TrashState.WAITING
    assert done.pointer == lake.catalog.load_table(TABLE.identifier).metadata_location


def test_an_unknown_outcome_is_said_and_deletes_nothing(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch
):
    before = readings(lake)

    def break_off(_commit: Commit, _given: Any) -> Any:
        raise CommitStateUnknownException("504")

    interfering(lake, monkeypatch, break_off)
    with pytest.raises(OutcomeUnknownError, match="broke off"):
        run_expiry(lake)
    record = record_of(lake)
    assert (record.state, there(lake, record)) == (TrashState.UNFINISHED, FREED)
    after_the_window(lake)
    assert there(lake, record) == FREED
    assert readings(lake) == before
    run_expiry(lake)
    assert len(readings(lake)) == 5
    assert there(lake, record_of(lake)) == FREED


def test_a_rollback_made_meanwhile_refuses_the_commit_and_it_is_planned_anew(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch
):
    target = lake.catalog.load_table(TABLE.identifier).snapshots()[4].snapshot_id

    def roll_back(commit: Commit, given: Any) -> Any:
        with connect(lake.settings).load_table(TABLE.identifier).manage_snapshots() as manage:
            manage.rollback_to_snapshot(target)
        return commit(*given)

    interfering(lake, monkeypatch, roll_back)
    run_expiry(lake)
    found = lake.catalog.load_table(TABLE.identifier)
    assert found.metadata.current_snapshot_id == target
    assert found.scan().to_arrow().num_rows == 5


def test_a_tag_that_the_server_dropped_with_its_snapshot_is_named(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch
):
    """The protocol cannot say that there must be no new tag; its files are all there."""
    chosen = lake.catalog.load_table(TABLE.identifier).snapshots()[4].snapshot_id

    def tag(commit: Commit, given: Any) -> Any:
        with connect(lake.settings).load_table(TABLE.identifier).manage_snapshots() as manage:
            manage.create_tag(chosen, "late")
        return commit(*given)

    interfering(lake, monkeypatch, tag)
    with pytest.raises(OutcomeUnknownError, match="late"):
        run_expiry(lake)
    record = record_of(lake)
    assert there(lake, record) == FREED
    assert f"{chosen}" in readings(lake, TableId.parse(take_out(lake, record.id).side_table))
