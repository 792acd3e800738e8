"""Tables as decisions see them, with everything that a test does not say left healthy."""

from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, HOUR_MS, MIB
from dp_assets.domains.maintenance.due import decide
from dp_assets.domains.maintenance.measures import Subject
from dp_assets.domains.maintenance.policies import policy_of
from dp_assets.domains.maintenance.rules import TableRules
from dp_assets.domains.maintenance.workload import Commit, Workload
from dp_assets.ports.leases import Lease
from dp_assets.ports.maintenance import Attempt, Operation, Outcome, PartitionHealth, TableHealth

NOW = 1_700_000_000_000  # 2023-11-14T22:13:20Z, a Tuesday
UUID = "u-1"
ORDERS = "shop.orders"


def partition(name="", *, small_files=0, files=None, size=MIB, deleted_rows=0):
    files = small_files if files is None else files
    return PartitionHealth(
        spec_id=0,
        partition=name,
        files=files,
        bytes=files * size,
        rows=files * 100,
        small_files=small_files,
        target_bytes=128 * MIB,
        error=0.5 if small_files else 0.0,
        delete_files=1 if deleted_rows else 0,
        deleted_rows=deleted_rows,
    )


def health(*partitions, table=ORDERS, **changed):
    """Of the partitions given; of none when there is none."""
    values = {
        "table": table,
        "uuid": UUID,
        "pointer": "p-now",
        "at_ms": NOW,
        "format_version": 2,
        "head": 1,
        "files": sum(p.files for p in partitions),
        "bytes": sum(p.bytes for p in partitions),
        "rows": sum(p.rows for p in partitions),
        "small_files": sum(p.small_files for p in partitions),
        "error": 0.0,
        "size_counts": (),
        "delete_files": sum(p.delete_files for p in partitions),
        "deleted_rows": sum(p.deleted_rows for p in partitions),
        "manifests": 1,
        "manifest_bytes": 8192,
        "snapshots": 1,
        "oldest_snapshot_ms": NOW,
        "metadata_bytes": 4096,
        "old_bytes": 0,
        "unheld_bytes": None,
        "skew": 1.0,
        "partitions": partitions,
        "partition_count": len(partitions),
    }
    return TableHealth(**(values | changed))


def attempt(operation, hours_ago, outcome=Outcome.DONE, *, table=ORDERS, **changed):
    """It took a minute."""
    at_ms = NOW - round(hours_ago * HOUR_MS)
    values = {
        "table": table,
        "uuid": UUID,
        "operation": Operation(operation),
        "outcome": outcome,
        "started_at_ms": at_ms - 60_000,
        "finished_at_ms": at_ms,
        "pointer": "p-then",
        "run_id": "run",
    }
    return Attempt(**(values | changed))


def commits(*days_ago, ours=()):
    """One commit that many days ago; those whose position is in ``ours`` are of maintenance."""
    return tuple(Commit(NOW - round(d * DAY_MS), i in ours) for i, d in enumerate(days_ago))


def policy(rules=None, *, table=ORDERS, properties=None, workload=Workload.BATCH):
    """``rules`` as the YAML has them, by glob."""
    return policy_of(
        TableId.parse(table),
        rules={glob: TableRules.model_validate(rule) for glob, rule in (rules or {}).items()},
        properties=properties or {},
        workload=workload,
    )


def subject(found=None, *, table=ORDERS, rules=None, adopted=True, written=(), done=()):
    return Subject(
        policy=policy({"*": rules} if rules else None, table=table),
        adopted=adopted,
        health=found or health(table=table),
        commits=written or commits(1),
        attempts=tuple(done),
    )


def small(count=12, *, table=ORDERS, **changed):
    """A table whose one partition has that many small files."""
    return health(partition(small_files=count), table=table, **changed)


def lease(name, minutes_left):
    return Lease(name, "dp on host", fencing=1, expires_at_ms=NOW + minutes_left * 60_000)


OLD = commits(*range(40, 0, -1))  # a commit a day, the last yesterday


def judged(one, operation, *, now_ms=NOW, leases=()):
    return decide(one, operation, now_ms=now_ms, leases=leases)


def against(one, operation, reason, *, until_ms=None, leases=()):
    """Not due, for this reason alone."""
    found = judged(one, operation, leases=leases)
    assert not found.due
    assert len(found.reasons) == 1, found.reasons
    assert reason in found.reasons[0]
    assert found.next_ms == until_ms
