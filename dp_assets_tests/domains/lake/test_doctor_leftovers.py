"""Judging what killed processes left behind."""

from dp_assets.domains.lake.doctor import Severity
from dp_assets.domains.lake.doctor_leftovers import check_leftovers
from dp_assets.ports.doctor import HeldLease, SpooledRows, TemporaryFile

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
OK, WARN = Severity.OK, Severity.WARN


def judged(*, files=(), spooled=(), leases=()):
    found = check_leftovers(files=files, spooled=spooled, leases=leases, now_ms=NOW_MS)
    return [(f.severity, f.subject, f.what) for f in found]


def test_nothing_left_is_one_line():
    assert judged() == [(OK, "crashes", "nothing left behind")]


def test_a_temporary_file_is_stale_after_a_day():
    old = TemporaryFile("/s/.a.tmp", NOW_MS - DAY_MS - 1)
    young = TemporaryFile("/s/.b.tmp", NOW_MS - DAY_MS)
    assert judged(files=[old, young]) == [
        (WARN, "temporary files", "1 older than 24 h: /s/.a.tmp"),
        (OK, "temporary files", "1 of the last 24 h"),
    ]


def test_waiting_rows_are_normal_for_a_day_and_damaged_ones_never():
    fresh = SpooledRows("ops.a", rows=3, oldest_ms=NOW_MS - DAY_MS)
    stale = SpooledRows("ops.b", rows=1, oldest_ms=NOW_MS - DAY_MS - 1)
    damaged = SpooledRows("ops.c", rows=0, oldest_ms=None, damaged=("/s/x.jsonl",))
    assert judged(spooled=[fresh, stale, damaged]) == [
        (OK, "spool of ops.a", "3 rows waiting to be committed since 2023-11-13T22:13:20Z"),
        (WARN, "spool of ops.b", "1 row waiting to be committed since 2023-11-13T22:13:19Z"),
        (WARN, "spool of ops.c", "damaged: /s/x.jsonl"),
    ]


def test_only_leases_of_ended_processes_are_told():
    dead = HeldLease("table/a.b", "host pid 7", is_owner_gone=True, expires_at_ms=NOW_MS)
    alive = HeldLease("table/a.c", "host pid 8", is_owner_gone=False, expires_at_ms=NOW_MS)
    ((severity, subject, what),) = judged(leases=[dead, alive])
    assert (severity, subject) == (OK, "lease table/a.b")
    assert "host pid 7" in what
