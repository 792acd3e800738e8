"""Rows of ``ops.recovery_points``: every row fits the table."""

import pytest

from dp_assets.domains.backup.records import RECOVERY_POINTS, failed_row, point_row, proof_row
from dp_assets.domains.lake.spool_rows import rows_to_arrow
from dp_assets.ports.recovery import PointRecord, ProofRecord
from dp_assets_tests.domains.backup.manifests import line, manifest

RECORD = PointRecord(
    number=2,
    format=1,
    lakehouse_id="l-1",
    created_at_ms=3500,
    cut_at_ms=1500,
    complete=False,
    tables=2,
    bytes=200,
    copied_bytes=40,
    seconds=2.5,
    manifest_sha256="a" * 64,
    manifest_size=1,
    references=(),
    objects=(),
)
MADE = manifest(line("raw.a", copied_files=3, copied_bytes=40), line("raw.b", problem="lost"))
PROOF = ProofRecord(2, 1000, "sample", False, {"raw.a": "proven", "raw.b": "one row more"}, 4, 200)


@pytest.mark.parametrize(
    "row",
    [
        point_row(MADE, RECORD, sampled_files=10, run_id="run-1"),
        failed_row(started_at_ms=0, finished_at_ms=10, problem="full", run_id="run-1"),
        proof_row(PROOF, run_id="run-1"),
    ],
    ids=["point", "failed", "drill"],
)
def test_rows_fit_the_table(row):
    assert rows_to_arrow([row], RECOVERY_POINTS.schema).num_rows == 1


def test_a_point_is_one_row_with_its_problems():
    row = point_row(MADE, RECORD, sampled_files=10, run_id="run-1")
    assert (row["kind"], row["point"], row["complete"]) == ("point", 2, False)
    assert (row["files"], row["copied_files"], row["copied_bytes"]) == (8, 3, 40)
    assert row["problem"] == "raw.b: lost"
    assert row["started_at"] == "1970-01-01T00:00:01.000Z"


def test_a_drill_names_what_is_not_proven():
    row = proof_row(PROOF, run_id="run-1")
    assert (row["kind"], row["complete"], row["problem"]) == ("drill", False, "raw.b: one row more")
