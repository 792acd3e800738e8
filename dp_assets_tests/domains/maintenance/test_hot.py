"""Partitions in conflict wait, longer each time, and come back by themselves."""

import pytest

from dp_assets.core.units import DAY_MS, HOUR_MS
from dp_assets.domains.maintenance.hot import hot_now, hot_partitions
from dp_assets.domains.maintenance.why import hot_texts
from dp_assets.ports.maintenance import Conflict, Operation
from dp_assets_tests.domains.maintenance.subjects import (
    NOW,
    against,
    attempt,
    commits,
    judged,
    small,
    subject,
)

A, B = Conflict(0, '{"part":"a"}', "part=a"), Conflict(0, '{"part":"b"}', "part=b")


def hit(hours_ago, *places):
    return attempt(Operation.COMPACTION, hours_ago, conflicts=places)


@pytest.mark.parametrize(("conflicts", "hours"), [(1, 3), (2, 6), (3, 12), (4, 24), (9, 24)])
def test_each_conflict_doubles_the_wait(conflicts, hours):
    history = [hit(number, A) for number in reversed(range(conflicts))]
    [hot] = hot_partitions(history).values()
    assert (hot.words, hot.conflicts) == ("part=a", conflicts)
    assert hot.until_ms == NOW + hours * HOUR_MS


def test_conflicts_of_long_ago_are_forgotten():
    history = [hit(2 * DAY_MS / HOUR_MS + 2, A), hit(1, A)]
    assert hot_partitions(history)[A.spec_id, A.partition].conflicts == 1


def test_only_the_partition_in_conflict_waits():
    history = [hit(5, B), hit(1, A), attempt(Operation.COMPACTION, 0)]
    assert list(hot_now(history, now_ms=NOW)) == [(A.spec_id, A.partition)]
    [text] = hot_texts(subject(small(), done=history), now_ms=NOW)
    assert text.startswith("compaction leaves part=a alone until 2023-11-15T00:13:20")


def test_what_was_left_alone_is_due_again_although_nobody_wrote():
    """Else a group of a table that falls silent after a conflict would never be compacted."""
    one = subject(small(), written=commits(30), done=[hit(20, A), hit(10, A), hit(8, A)])
    cools_ms = NOW + 4 * HOUR_MS
    against(one, Operation.COMPACTION, "nobody wrote to the table", until_ms=cools_ms)
    assert judged(one, Operation.COMPACTION, now_ms=cools_ms).due


def test_once_looked_at_again_it_needs_news():
    done = [hit(30, A), attempt(Operation.COMPACTION, 20)]
    one = subject(small(), written=commits(40), done=done)
    against(one, Operation.COMPACTION, "nobody wrote to the table", until_ms=None)
