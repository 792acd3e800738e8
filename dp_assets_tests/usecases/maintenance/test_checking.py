"""Checks on operations against real tables: each is right once, and each sabotage is seen."""

import os
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.core.units import MIB, now_ms
from dp_assets.domains.maintenance.operation_checks import CHECKS, OperationCheck
from dp_assets.domains.maintenance.retention import Retention
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.ports.maintenance_trash import TrashedFile
from dp_assets.usecases.maintenance.checking import JUDGES, judge_closure, judge_memory
from dp_assets.usecases.maintenance.maintaining import maintain, plan
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.adapters.real_lakehouse import ORDERS, fill
from dp_assets_tests.usecases.maintenance.operated_lake import (
    COMMITS,
    RUN,
    compact,
    edit,
    expire,
    judged,
    lake,
    prepared,
    says_done,
    tag,
    work,
)

__all__ = ["lake", "prepared"]  # fixtures

ROWS, REFS, CLOSURE, SMALL, MEMORY, REFUSED = OperationCheck
OURS = {"dp.operation": "compaction"}


def orders(lake):
    return lake.catalog.load_table(ORDERS.identifier)


def rows(*ids):
    return pa.table({"id": pa.array(ids, pa.int64())})


def data_file(lake):
    (task,) = orders(lake).scan().plan_files()
    return Path(one_spelling(task.file.file_path))


def test_a_compaction_is_found_right(lake):
    found = work(lake)
    assert (found.attempt.run_id, len(found.steps)) == (RUN, 1)
    assert found.steps[0].own == orders(lake).current_snapshot().snapshot_id
    said = {check: JUDGES[check](found) for check in CHECKS[Operation.COMPACTION]}
    assert all(one.passed for one in said.values())
    assert said[ROWS].said == f"{10 * COMMITS} rows before and after"
    assert said[REFS].said == "2 refs, as before"
    assert said[SMALL].said == "7 small files became 1"
    assert said[CLOSURE].said.endswith("all there")


def test_an_expiry_is_found_right(lake):
    expire(lake)
    found = work(lake, Operation.EXPIRY, "expiring")
    assert [step.own for step in found.steps] == [None]
    assert len(found.record.snapshots) == COMMITS - 2
    assert all(JUDGES[check](found).passed for check in CHECKS[Operation.EXPIRY])


def test_rewritten_manifests_are_found_right(lake):
    fill(lake, ORDERS, commits=8)
    manifests = len(orders(lake).current_snapshot().manifests(orders(lake).io))
    planned = plan(lake, ORDERS, Operation.MANIFESTS, now_ms=now_ms())
    maintain(lake, planned, run_id="merging")
    found = work(lake, Operation.MANIFESTS, "merging")
    assert len(orders(lake).current_snapshot().manifests(orders(lake).io)) < manifests
    assert [step.own for step in found.steps] == [orders(lake).current_snapshot().snapshot_id]
    assert all(JUDGES[check](found).passed for check in CHECKS[Operation.MANIFESTS])


def test_orphans_are_found_right_and_one_that_is_none_is_seen(lake):
    file = data_file(lake).with_name("nobody.parquet")
    file.write_bytes(b"orphan")
    os.utime(file, (0, 0))
    planned = plan(lake, ORDERS, Operation.ORPHANS, now_ms=now_ms())
    maintain(lake, planned, run_id="sweeping")
    found = work(lake, Operation.ORPHANS, "sweeping")
    assert [Path(one_spelling(one.path)) for one in found.record.files] == [file]
    assert all(JUDGES[check](found).passed for check in CHECKS[Operation.ORPHANS])
    needed = TrashedFile(f"file://{data_file(lake)}", "data", 1)
    wrong = replace(found, record=replace(found.record, files=(needed,)))
    assert not judge_closure(wrong).passed


def test_what_others_commit_afterwards_is_not_ours(lake):
    tag(lake, "another")  # a commit without a snapshot: ours is still the head
    fill(lake, ORDERS, commits=1)
    orders(lake).delete("id < 25")
    expire(lake, Retention(max_age_ms=0, min_snapshots=4), run_id="other")
    with orders(lake).manage_snapshots() as manage:
        manage.remove_tag("first")
    found = work(lake)
    assert [step.after.pointer for step in found.steps] == [found.attempt.pointer]
    assert all(JUDGES[check](found).passed for check in CHECKS[Operation.COMPACTION])


def test_a_lost_row_is_seen(lake):
    orders(lake).delete("id == 3", snapshot_properties={**OURS, "dp.run-id": "bad"})
    says_done(lake, "bad")
    found = judged(lake, ROWS, run_id="bad")
    assert not found.passed
    assert f"{10 * COMMITS} rows before, {10 * COMMITS - 1} after" in found.said


def test_only_the_commit_that_lost_it_is_named(lake):
    ours = {**OURS, "dp.run-id": "bad"}
    fill(lake, ORDERS, commits=1)
    orders(lake).append(rows(1), snapshot_properties=ours)
    orders(lake).append(rows(2))
    orders(lake).append(rows(), snapshot_properties=ours)
    says_done(lake, "bad")
    steps = work(lake, run_id="bad").steps
    (finding,) = judged(lake, ROWS, run_id="bad").findings
    assert len(steps) == 2
    assert finding.startswith(f"snapshot {steps[0].own}: ")


def test_a_dropped_tag_is_seen(lake):
    edit(work(lake).now.pointer, lambda raw: raw["refs"].pop("first"))
    found = judged(lake, REFS)
    assert (found.passed, found.findings[0].endswith("tag first is gone")) == (False, True)


def test_a_tag_that_an_expiry_dropped_before_its_age_is_seen(lake):
    tag(lake, "aged", max_ref_age_ms=1)
    expire(lake)
    assert "aged" not in orders(lake).refs()
    assert judged(lake, REFS, Operation.EXPIRY, "expiring").passed
    edit(work(lake).now.pointer, lambda raw: raw["refs"].pop("first"))
    assert judged(lake, REFS, Operation.EXPIRY, "expiring").findings == (
        "the expiry: tag first is gone",
    )


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (Path.unlink, "it is gone"),
        (lambda path: path.write_bytes(b"short"), "5 bytes"),
    ],
    ids=["gone", "short"],
)
def test_a_damaged_file_is_seen(lake, damage, said):
    damage(data_file(lake))
    found = judged(lake, CLOSURE)
    assert not found.passed
    assert said in found.findings[0]


def test_a_manifest_that_is_gone_is_seen(lake):
    (*_, manifest) = orders(lake).current_snapshot().manifests(orders(lake).io)
    Path(one_spelling(manifest.manifest_path)).unlink()
    assert not judged(lake, CLOSURE).passed


def test_a_file_in_the_trash_that_the_table_needs_is_seen(lake):
    expire(lake)
    trash = open_trash(lake)
    (record,) = trash.all()
    needed = TrashedFile(f"file://{data_file(lake)}", "data", 1)
    trash.put(replace(record, files=(*record.files, needed)))
    found = judge_closure(work(lake, Operation.EXPIRY, "expiring"))
    assert found.findings == (f"{needed.path}: it is in the trash, and the table needs it",)


def test_small_files_that_stay_are_seen(lake):
    fill(lake, ORDERS, commits=1)
    ours = {**OURS, "dp.run-id": "bad"}
    orders(lake).delete("id == 3", snapshot_properties=ours)  # two files, each made anew
    says_done(lake, "bad")
    found = judged(lake, SMALL, run_id="bad")
    assert not found.passed
    assert found.findings[0].endswith("2 small files became 2")


def test_too_much_memory_is_seen(lake):
    found = work(lake)
    assert found.attempt.memory_bytes >= 0
    much = replace(found, attempt=replace(found.attempt, memory_bytes=401 * MIB))
    assert judge_memory(much).said == "401 MiB more at its peak, 400 MiB are allowed"
    assert not judge_memory(much).passed
    with orders(lake).transaction() as change:
        change.set_properties({"dp.maintenance.compaction.memory_mib": "64"})
    assert "64.0 MiB are allowed" in judged(lake, MEMORY).said


def test_memory_that_was_not_measured_is_no_pass(lake):
    says_done(lake, "mute", Outcome.NOTHING)
    with pytest.raises(PermanentError, match="was not measured"):
        judged(lake, MEMORY, run_id="mute")


def test_nothing_to_do_is_checked_too(lake):
    assert compact(lake, "again").outcome is Outcome.NOTHING
    found = work(lake, run_id="again")
    assert found.steps == ()
    assert {JUDGES[check](found).passed for check in CHECKS[Operation.COMPACTION]} == {True}
    data_file(lake).unlink()
    assert not judged(lake, CLOSURE, run_id="again").passed


def test_a_refusal_is_a_warning(lake):
    says_done(lake, "refused", Outcome.REFUSED)
    found = judged(lake, REFUSED, run_id="refused")
    assert (found.passed, found.is_warning) == (False, True)
    assert found.said == "refused: it has no snapshot"


def test_what_cannot_be_told_any_more_is_no_pass(lake):
    def problem(run_id=RUN, operation=Operation.COMPACTION):
        with pytest.raises(PermanentError) as caught:
            work(lake, operation, run_id)
        return caught.value.what

    assert "no row of compaction of raw.orders by run never" in problem("never")
    says_done(lake, "empty")
    assert "its commit is gone from the table" in problem("empty")
    says_done(lake, RUN, Outcome.NOTHING)
    assert "and yet it committed" in problem()
    pointer = orders(lake).metadata_location
    edit(pointer, lambda raw: raw.update({"metadata-log": []}))
    says_done(lake, RUN)
    assert "the metadata log no longer tells" in problem()
    edit(pointer, lambda raw: raw.update({"table-uuid": "00000000-0000-0000-0000-000000000000"}))
    assert "dropped and made again" in problem()


def test_a_snapshot_that_cannot_be_counted_is_no_pass(lake):
    before = work(lake).steps[0].before
    (snapshot,) = (s for s in before.metadata["snapshots"] if s["snapshot-id"] == before.head)
    Path(one_spelling(snapshot["manifest-list"])).unlink()
    with pytest.raises(PermanentError):
        judged(lake, ROWS)
