from dataclasses import replace

import pytest

from dp_assets.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from dp_assets.domains.backup.recovery_state import (
    DumpSeen,
    PointSeen,
    ProofSeen,
    RecoveryState,
    ReplicaSeen,
)
from dp_assets.domains.lake.doctor import Area, Severity
from dp_assets.domains.lake.doctor_recovery import (
    check_key_files,
    check_recovery,
    check_repository_folder,
    no_repository,
)
from dp_assets.ports.doctor import Folder, KeyFile

NEWEST = PointSeen(number=7, cut_at_ms=0, age_ms=HOUR_MS, tables=2, bytes=10, complete=True)
PROOF = ProofSeen(point=7, at_ms=0, age_ms=8 * DAY_MS, scope="sample", seconds=1.0, bytes=10)
DUMP = DumpSeen("dump-1", at_ms=0, age_ms=0, restores=True)
REPLICA = ReplicaSeen("/b", behind=1, lag_ms=2 * HOUR_MS, max_lag_ms=2 * HOUR_MS)
WELL = RecoveryState(
    repository="/r",
    at_ms=0,
    points=7,
    newest=NEWEST,
    proven=NEWEST,
    proof=PROOF,
    restore_seconds=1800.0,
    rpo_ms=HOUR_MS,
    rto_ms=30 * MINUTE_MS,
    max_unproven_ms=8 * DAY_MS,
    incomplete=(),
    not_covered=(),
    replica=REPLICA,
    dump=DUMP,
    warnings=(),
)


def test_what_is_just_within_its_limits_is_well():
    [found] = check_recovery(WELL)
    assert (found.severity, found.area) == (Severity.OK, Area.RECOVERY)
    assert found.what == "point 7 of 1970-01-01T00:00:00Z, proven, all within limits"


@pytest.mark.parametrize(
    ("changes", "subject", "what", "hint"),
    [
        pytest.param(
            {"newest": None, "proven": None, "proof": None, "restore_seconds": None, "points": 0},
            "recovery points",
            "/r holds no complete recovery point",
            "'dp backup'",
            id="no-point",
        ),
        pytest.param(
            {"newest": replace(NEWEST, age_ms=HOUR_MS + MINUTE_MS)},
            "recovery points",
            "the newest, 7, is 1 h 1 min old, 1 h 0 min are promised",
            "'dp status'",
            id="rpo",
        ),
        pytest.param(
            {"incomplete": (8, 9)},
            "incomplete points",
            "8, 9, newer than every complete one",
            "'dp points show NUMBER'",
            id="incomplete",
        ),
        pytest.param(
            {"proof": None, "proven": None, "restore_seconds": None},
            "drills",
            "no drill has proven any point",
            "'dp drill'",
            id="never-drilled",
        ),
        pytest.param(
            {"proof": replace(PROOF, age_ms=9 * DAY_MS)},
            "drills",
            "the last proof is 9 d 0 h old, 8 d 0 h are promised",
            "'dp drill'",
            id="proof-too-old",
        ),
        pytest.param(
            {"restore_seconds": 1801.0},
            "restore time",
            "a restore takes 30 min 1 s, 30 min 0 s are promised",
            "recovery.rto_minutes",
            id="rto",
        ),
        pytest.param(
            {"dump": replace(DUMP, restores=False)},
            "metastore dump",
            "the newest, dump-1, does not restore",
            "'dp dump'",
            id="dump",
        ),
        pytest.param(
            {"replica": replace(REPLICA, lag_ms=3 * HOUR_MS)},
            "replica",
            "/b: 3 h 0 min behind, 2 h 0 min are allowed",
            "'dp replicate'",
            id="replica-lag",
        ),
        pytest.param(
            {"replica": replace(REPLICA, problem="no answer")},
            "replica",
            "/b: no answer",
            "replica.url",
            id="replica-silent",
        ),
    ],
)
def test_each_broken_promise_is_one_warning_that_says_what_to_do(changes, subject, what, hint):
    [found] = check_recovery(replace(WELL, **changes))
    assert (found.severity, found.area, found.subject) == (Severity.WARN, Area.RECOVERY, subject)
    assert found.what.startswith(what)
    assert hint in found.hint


def test_a_dump_that_nobody_tried_and_no_replica_are_no_finding():
    untried = replace(WELL, dump=replace(DUMP, restores=None), replica=None)
    assert [f.severity for f in check_recovery(untried)] == [Severity.OK]


def test_no_repository_is_said_and_no_fault():
    found = no_repository("/r")
    assert (found.severity, found.area) == (Severity.OK, Area.RECOVERY)
    assert "'dp repo init'" in found.hint


def folder(name, *, device=1, refusal=""):
    return Folder(name, f"/{name}", device=device, refusal=refusal)


def test_a_repository_that_cannot_be_written_is_an_error():
    refused = folder("repository", refusal="Permission denied")
    [found] = check_repository_folder(refused, [folder("warehouse", device=2)])
    assert found.severity is Severity.ERROR
    assert found.what == "/repository cannot be written: Permission denied"


def test_a_repository_on_the_warehouse_s_disk_is_pointed_out():
    there, shared = check_repository_folder(
        folder("repository"), [folder("state", device=2), folder("warehouse")]
    )
    assert (there.severity, shared.severity) == (Severity.OK, Severity.OK)
    assert "on the disk of warehouse:" in shared.what
    assert "replica.url" in shared.hint
    bucket = Folder("warehouse", "s3://b/w")
    assert len(list(check_repository_folder(folder("repository"), [bucket]))) == 1


@pytest.mark.parametrize(("mode", "findings"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1)])
def test_a_private_key_is_for_its_owner_only(mode, findings):
    found = list(check_key_files([KeyFile("/k", mode)]))
    assert len(found) == findings
    assert all("chmod 600 /k" in one.hint for one in found)
