"""When an operation may begin again: intervals, back-off, windows, leases."""

import pytest

from dp_assets.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from dp_assets.domains.maintenance.back_off import back_off_ms
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets_tests.domains.maintenance.subjects import (
    NOW,
    OLD,
    against,
    attempt,
    commits,
    judged,
    lease,
    small,
    subject,
)

EXPIRY, MANIFESTS, COMPACTION, ORPHANS = Operation


class TestIntervals:
    @pytest.mark.parametrize(
        ("failures", "hours"), [(1, 3), (2, 6), (3, 12), (4, 24), (5, 24), (5000, 24)]
    )
    def test_it_backs_off_after_failures(self, failures, hours):
        assert back_off_ms(failures) == hours * HOUR_MS

    @pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN])
    def test_the_back_off_ends_after_its_hours(self, outcome):
        done = [attempt(COMPACTION, ago, outcome, problem="disk full") for ago in (9, 5, 1)]
        one = subject(small(), done=done)
        until_ms = NOW + 11 * HOUR_MS
        against(one, COMPACTION, "3 failures in a row, the last: disk full", until_ms=until_ms)
        assert judged(one, COMPACTION, now_ms=until_ms).due
        assert not judged(one, COMPACTION, now_ms=until_ms - 1).due

    def test_a_success_ends_the_back_off(self):
        done = [attempt(COMPACTION, ago, Outcome.FAILED) for ago in (30, 28)]
        done += [attempt(COMPACTION, 7)]
        one = subject(small(), written=commits(9, 0.1), done=done)
        assert judged(one, COMPACTION).due

    def test_a_failure_needs_no_news_to_be_tried_again(self):
        done = [attempt(COMPACTION, 10), attempt(COMPACTION, 4, Outcome.FAILED)]
        assert judged(subject(small(), written=commits(9), done=done), COMPACTION).due

    def test_failures_of_one_operation_do_not_stop_another(self):
        done = [attempt(EXPIRY, 1, Outcome.FAILED)]
        assert judged(subject(small(), done=done), COMPACTION).due

    def test_there_is_a_shortest_time_between_two(self):
        one = subject(small(), written=commits(9, 0.01), done=[attempt(COMPACTION, 5)])
        until_ms = NOW + HOUR_MS
        against(one, COMPACTION, "the next begins 6 h after it", until_ms=until_ms)
        assert judged(one, COMPACTION, now_ms=until_ms).due

    @pytest.mark.parametrize(
        ("outcomes", "hours"),
        [
            pytest.param([Outcome.NOTHING] * 4, 6, id="four"),
            pytest.param([Outcome.NOTHING] * 5, 12, id="five"),
            pytest.param([Outcome.NOTHING] * 3 + [Outcome.REFUSED] * 2, 12, id="refused-counts"),
            pytest.param([Outcome.DONE] + [Outcome.NOTHING] * 9, 12, id="no-longer-after-nine"),
            pytest.param([Outcome.NOTHING] * 5 + [Outcome.DONE], 6, id="done-again"),
        ],
    )
    def test_half_as_often_after_five_that_found_nothing(self, outcomes, hours):
        """The last one ended two hours ago, the others every ten hours before."""
        count = len(outcomes)
        done = [attempt(COMPACTION, 2 + 10 * (count - i), o) for i, o in enumerate(outcomes, 1)]
        one = subject(small(), written=commits(9, 0.01), done=done)
        until_ms = NOW + (hours - 2) * HOUR_MS
        assert judged(one, COMPACTION).next_ms == until_ms
        assert not judged(one, COMPACTION, now_ms=until_ms - 1).due
        assert judged(one, COMPACTION, now_ms=until_ms).due

    def test_ops_tables_are_tried_again_after_a_day_only(self):
        done = [attempt(COMPACTION, 20, Outcome.FAILED, table="ops.journal")]
        one = subject(small(table="ops.journal"), table="ops.journal", done=done)
        against(one, COMPACTION, "1 failure in a row", until_ms=NOW + 4 * HOUR_MS)

    def test_an_attempt_of_a_clock_that_is_far_ahead_blocks_nothing(self):
        done = [attempt(COMPACTION, -1000), attempt(COMPACTION, 5)]
        one = subject(small(), written=commits(9, 0.01), done=done)
        assert judged(one, COMPACTION).next_ms == NOW + HOUR_MS
        skewed = subject(small(), written=commits(9, 0), done=[attempt(COMPACTION, -0.01)])
        assert judged(skewed, COMPACTION).next_ms == NOW + 6 * HOUR_MS + 36_000


def test_outside_of_its_window_it_waits_for_the_next():
    one = subject(small(), rules={"compaction": {"window": "02:00-04:00 thu"}})
    opens_ms = 1_700_100_000_000  # 2023-11-16T02:00:00Z
    against(one, COMPACTION, "outside of its window, 02:00-04:00 thu", until_ms=opens_ms)


def test_the_next_time_is_within_the_window():
    """The back-off ends at 00:13 on Wednesday, when the window is closed."""
    done = [attempt(COMPACTION, 1, Outcome.FAILED)]
    one = subject(small(), rules={"compaction": {"window": "22:00-00:10"}}, done=done)
    found = judged(one, COMPACTION)
    assert found.next_ms == NOW // DAY_MS * DAY_MS + DAY_MS + 22 * HOUR_MS


class TestLeases:
    def test_somebody_at_work_on_the_table_is_waited_for(self):
        held = [lease("table/shop.orders", 5)]
        until_ms = NOW + 5 * MINUTE_MS
        one = subject(small())
        against(one, COMPACTION, "dp on host is at work on it", until_ms=until_ms, leases=held)

    def test_a_recovery_point_in_the_making_is_waited_for_by_what_removes(self):
        held = [lease("hold/recovery-point/00000007", 5)]
        one = subject(small(manifests=200), written=OLD)
        found = {op: judged(one, op, leases=held).due for op in Operation}
        assert found == {EXPIRY: False, MANIFESTS: True, COMPACTION: True, ORPHANS: False}
        assert "hold/recovery-point/00000007" in judged(one, EXPIRY, leases=held).reasons[0]

    @pytest.mark.parametrize(
        "other", [lease("table/shop.orders", 0), lease("table/shop.orders2", 5), lease("spool", 5)]
    )
    def test_any_other_lease_or_an_expired_one_is_not(self, other):
        assert judged(subject(small()), COMPACTION, leases=[other]).due


def test_every_reason_is_told_and_the_last_to_end_counts():
    rules = {"compaction": {"window": "02:00-04:00"}}
    done = [attempt(COMPACTION, 1, Outcome.FAILED)]
    found = judged(
        subject(small(2), rules=rules, adopted=False, done=done),
        COMPACTION,
        leases=[lease("table/shop.orders", 5)],
    )
    assert [reason[:20] for reason in found.reasons] == [
        "the table is foreign",
        "no partition with 5 ",
        "too little to do: sm",
        "1 failure in a row, ",
        "outside of its windo",
        "dp on host is at wor",
    ]
    assert found.next_ms is None
