"""A partition that others change while it is compacted is left alone for a while."""

from pathlib import Path

import pytest

from dp_assets.core.units import HOUR_MS, now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.usecases.maintenance.compaction_work import CompactionWork
from dp_assets.usecases.maintenance.journaling import read_journal
from dp_assets.usecases.maintenance.maintaining import maintain, plan
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.cli.test_maintain_moved import (
    DELETED_MEANWHILE,
    TABLE,
    before_commit,
    elsewhere,
    ids,
    place,
)
from dp_assets_tests.faults.model_process import NAME

__all__ = ["place"]


def planned(lake: Lakehouse, *, hours: int) -> tuple[list[str], list[str]]:
    """Partitions that a run in so many hours would compact, and what it would leave."""
    work = plan(lake, NAME, Operation.COMPACTION, now_ms=now_ms() + hours * HOUR_MS).work
    assert isinstance(work, CompactionWork)
    found = work.planned.plan
    return [group.words for group in found.groups], list(found.left)


def test_a_partition_in_conflict_waits_for_its_turn(
    dp: Dp, place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = elsewhere(place, tmp_path, [{"do": "delete_positions", "ids": DELETED_MEANWHILE}])
    with monkeypatch.context() as patch, opened(place) as lake:
        before_commit(patch, other)
        work = plan(lake, NAME, Operation.COMPACTION, now_ms=now_ms())
        attempt = maintain(lake, work, run_id="first")
        left = ids(lake)
        assert attempt.outcome is Outcome.DONE
        [conflict] = attempt.conflicts
        assert read_journal(lake, now_ms=now_ms()).of(NAME)[-1].conflicts == (conflict,)
        groups, said = planned(lake, hours=2)
        assert groups == []
        assert said[0].startswith(f"{conflict.words}: 6 files, ")
        assert "changed by others in 1 of the last compactions, left alone until" in said[0]
        assert planned(lake, hours=4) == ([conflict.words], [])
    assert f"compaction leaves {conflict.words} alone until" in dp("why", TABLE).out
    [hot] = dp("why", TABLE, "--json").json["hot_partitions"]
    assert (hot["partition"], hot["conflicts"]) == (conflict.words, 1)
    done = dp("maintain", TABLE, "--only", "compaction")  # a person who names it is obeyed
    assert done.code == 0, (done.out, done.err)
    with opened(place) as lake:
        assert planned(lake, hours=4) == ([], [])
        assert ids(lake) == left
