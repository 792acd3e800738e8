"""One operation on one table: what makes it due, and everything that stands against it."""

from dataclasses import replace

import pytest

from dp_assets.core.units import DAY_MS, GIB, HOUR_MS, MIB
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets_tests.domains.maintenance.subjects import (
    NOW,
    OLD,
    against,
    attempt,
    commits,
    health,
    judged,
    partition,
    policy,
    small,
    subject,
)

EXPIRY, MANIFESTS, COMPACTION, ORPHANS = Operation


@pytest.mark.parametrize(
    ("one", "operation", "reason"),
    [
        pytest.param(subject(written=OLD), EXPIRY, "snapshots 33, 10 is enough", id="expiry"),
        pytest.param(
            subject(health(manifests=150)), MANIFESTS, "manifests 150, 100 is", id="manifests"
        ),
        pytest.param(subject(small(12)), COMPACTION, "small_files 12, 10 is", id="small"),
        pytest.param(
            subject(health(partition(files=4, deleted_rows=200))),
            COMPACTION,
            "delete_ratio 50%, 30% is enough",
            id="deletes",
        ),
        pytest.param(subject(), ORPHANS, "age never done, 7 d is enough", id="orphans"),
    ],
)
def test_an_operation_is_due_when_there_is_enough_to_do(one, operation, reason):
    found = judged(one, operation)
    assert found.due
    assert found.reasons[0].startswith(reason)
    assert found.next_ms is None


@pytest.mark.parametrize(
    ("when", "is_due"),
    [
        ("small_files >= 12", True),
        ("small_files >= 13", False),
        ("small_share >= 1", True),
        ("small_files >= 12 and manifests >= 2", False),
        ("small_files >= 12 and manifests >= 1", True),
        ("small_files >= 13 or manifests >= 1", True),
        ("bytes >= 12 MiB", True),
        ("bytes >= 13 MiB", False),
        ("age >= 100 d", True),
        ("snapshots >= 1", False),
    ],
)
def test_triggers_are_joined_by_and_and_or(when, is_due):
    one = subject(small(12), rules={"compaction": {"when": when}})
    assert judged(one, COMPACTION).due is is_due


@pytest.mark.parametrize(
    ("operation", "found", "written"),
    [
        pytest.param(EXPIRY, health(old_bytes=2 * GIB), OLD, id="expiry"),
        pytest.param(
            MANIFESTS,
            health(manifests=2, manifest_bytes=2 * GIB, metadata_bytes=9 * GIB),
            (),
            id="manifests",
        ),
        pytest.param(ORPHANS, health(unheld_bytes=2 * GIB), (), id="orphans"),
    ],
)
def test_bytes_are_those_that_the_operation_is_about(operation, found, written):
    rules = {operation.value: {"when": "bytes >= 2 GiB"}}
    assert judged(subject(found, rules=rules, written=written), operation).due
    more = {operation.value: {"when": "bytes >= 3 GiB"}}
    assert not judged(subject(found, rules=more, written=written), operation).due


def test_a_large_metadata_file_is_a_reason_for_expiry():
    rules = {"expiry": {"when": "metadata_bytes >= 10 MiB"}}
    large = subject(health(metadata_bytes=12 * MIB), rules=rules, written=OLD)
    found = judged(large, EXPIRY)
    assert found.due
    assert found.reasons == ("metadata_bytes 12.0 MiB, 10.0 MiB is enough",)
    small_one = subject(health(metadata_bytes=9 * MIB), rules=rules, written=OLD)
    against(small_one, EXPIRY, "metadata_bytes 9.00 MiB, 10.0 MiB is enough")


def test_nothing_is_ever_done_to_a_foreign_table():
    for operation in Operation:
        found = judged(subject(small(500), adopted=False, written=OLD), operation)
        assert not found.due
        assert found.next_ms is None
        assert "'dp adopt shop.orders'" in found.reasons[0]


def test_what_is_switched_off_says_by_whom():
    rules = {"compaction": {"enabled": False}}
    against(subject(small(), rules=rules), COMPACTION, "switched off by maintenance.policies, '*'")


def test_what_cannot_be_understood_is_not_done():
    one = subject(small())
    wrong = policy(properties={"dp.maintenance.compaction.memory_mib": "much"})
    against(replace(one, policy=wrong), COMPACTION, "'much' is not a whole number from 64")
    assert judged(replace(one, policy=wrong), ORPHANS).due


@pytest.mark.parametrize(
    ("found", "is_due"),
    [
        pytest.param(
            health(*(partition(f"d={n}", small_files=1) for n in range(20))),
            False,
            id="one-small-file-in-each-of-many-partitions",
        ),
        pytest.param(
            health(*(partition(f"d={n}", small_files=5) for n in range(2))),
            True,
            id="five-in-each-of-two",
        ),
        pytest.param(
            health(partition(small_files=1), small_files=4_001, files=4_001, partition_count=1001),
            False,
            id="four-in-each-of-a-thousand-that-are-not-listed",
        ),
        pytest.param(
            health(partition(small_files=1), small_files=4_002, files=4_002, partition_count=1001),
            True,
            id="more-than-four-in-one-of-them-at-least",
        ),
    ],
)
def test_small_files_count_where_enough_lie_together(found, is_due):
    assert judged(subject(found), COMPACTION).due is is_due


def test_an_expiry_knows_when_it_will_have_enough():
    fresh = subject(written=commits(*range(12, 0, -1)))
    # Seven stay at any age. Of the other five, 8 to 12 days ago, all are older than seven days.
    found = judged(fresh, EXPIRY)
    assert found.due
    done = subject(written=commits(*range(12, 0, -1)), done=[attempt(EXPIRY, 30)])
    assert "too little to do: snapshots 5, 10 is enough; age 1 d 6 h, 7 d" in str(
        judged(done, EXPIRY).reasons
    )


def test_a_table_with_few_snapshots_says_when_the_first_comes_of_age():
    rules = {"expiry": {"keep_snapshots": 2}}
    one = subject(rules=rules, written=commits(5, 3, 2))
    until_ms = NOW + 2 * DAY_MS + 1
    against(one, EXPIRY, "no snapshot older than 7 d besides the newest 2", until_ms=until_ms)
    assert judged(one, EXPIRY, now_ms=until_ms).due
    assert not judged(one, EXPIRY, now_ms=until_ms - 1).due


def test_a_commit_with_a_wrong_clock_is_as_young_as_those_before_it():
    rules = {"expiry": {"keep_snapshots": 1}}
    one = subject(rules=rules, written=commits(3, 400, 2))
    assert judged(one, EXPIRY).next_ms == NOW + 4 * DAY_MS + 1


class TestNews:
    def test_our_own_commits_make_nothing_due(self):
        done = [attempt(COMPACTION, 12), attempt(MANIFESTS, 11)]
        one = subject(small(), written=commits(3, 0.4, ours={1}), done=done)
        against(one, COMPACTION, "nobody wrote to the table since compaction ended with done")
        one = subject(small(), written=commits(3, 0.4), done=done)
        assert judged(one, COMPACTION).due

    @pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.NOTHING, Outcome.REFUSED])
    def test_an_idle_table_stays_idle_for_ever(self, outcome):
        rules = {op: {"when": "age >= 1 h or manifests >= 1"} for op in Operation}
        found = small(manifests=9)
        done = [attempt(op, 24, outcome) for op in Operation]
        one = subject(found, rules=rules, written=commits(99, 98), done=done)
        for years in range(1, 100):
            for operation in Operation:
                assert not judged(one, operation, now_ms=NOW + years * 365 * DAY_MS).due

    def test_the_same_pointer_is_the_same_table_whatever_a_clock_says(self):
        done = [attempt(COMPACTION, 12, pointer="p-now")]
        against(subject(small(), written=commits(3, -30), done=done), COMPACTION, "nobody wrote")

    def test_a_writer_whose_clock_is_behind_is_seen(self):
        done = [attempt(COMPACTION, 12)]
        written = commits(3, 0.5, 2.5, ours={1})
        assert judged(subject(small(), written=written, done=done), COMPACTION).due

    def test_a_commit_while_the_last_one_ran_is_news(self):
        done = [attempt(COMPACTION, 12, started_at_ms=NOW - 14 * HOUR_MS)]
        assert judged(subject(small(), written=commits(3, 13 / 24), done=done), COMPACTION).due

    def test_an_expiry_needs_a_further_snapshot_of_age(self):
        """Three were kept by tags: only with the next one there is anything to do."""
        rules = {"expiry": {"keep_snapshots": 1, "when": "snapshots >= 1"}}
        written = commits(30, 20, 10, 6, 1)
        one = subject(rules=rules, written=written, done=[attempt(EXPIRY, 12)])
        until_ms = NOW + DAY_MS + 1
        against(one, EXPIRY, "no further snapshot came of age", until_ms=until_ms)
        assert judged(one, EXPIRY, now_ms=until_ms).due

    def test_orphans_of_a_writer_are_looked_for_once_they_are_old_enough(self):
        rules = {"orphans": {"when": "age >= 1 d"}}
        young = subject(rules=rules, written=commits(9, 4), done=[attempt(ORPHANS, 48)])
        assert judged(young, ORPHANS).due
        old = subject(rules=rules, written=commits(9, 6), done=[attempt(ORPHANS, 48)])
        against(old, ORPHANS, "nobody wrote")

    def test_orphans_of_our_own_failures_are_looked_for(self):
        rules = {"orphans": {"when": "age >= 1 d"}}
        done = [attempt(ORPHANS, 48), attempt(COMPACTION, 30, Outcome.FAILED)]
        assert judged(subject(rules=rules, written=commits(99), done=done), ORPHANS).due

    def test_rows_about_a_run_are_no_news_to_the_table_of_runs(self):
        done = [attempt(op, 30, table="ops.journal") for op in (EXPIRY, COMPACTION)]
        found = small(table="ops.journal")
        own = subject(found, table="ops.journal", written=commits(9, 1.2, 1.1), done=done)
        against(own, COMPACTION, "nobody wrote")
        more = commits(9, 1.2, 1.1, 1)
        assert judged(subject(found, table="ops.journal", written=more, done=done), COMPACTION).due

    def test_a_table_dropped_and_made_again_has_no_past(self):
        done = [attempt(COMPACTION, 1, uuid="u-0"), attempt(COMPACTION, 2, Outcome.FAILED, uuid="")]
        assert judged(subject(small(), done=done), COMPACTION).due
