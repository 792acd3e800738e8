"""A run of maintenance in Dagster killed right after its commit, and again (FAULTS 2, I7).

Neither Dagster nor the journal can know of the killed one; the table and the trash do, and the next
materialization says what they say.
"""

from pathlib import Path

import pytest

from dp_assets.ports.maintenance import Operation
from dp_assets_tests.faults.killed_record import Left
from dp_assets_tests.faults.killing import SOAK, kills

WITH_SNAPSHOT = (Operation.COMPACTION, Operation.MANIFESTS)


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="unavoidable: a minute; a test of the assets has what is left")
@pytest.mark.timeout(1200)
def test_the_record_agrees_with_the_table_after_a_kill(tmp_path: Path):
    found = kills(Left, "record", tmp_path, *map(str, Operation))
    assert [left.operation for left in found] == list(map(str, Operation))
    for left in found:
        assert left.killed
        killed, again = left.runs
        before, after = left.after_kill, left.after_again
        with_snapshot = left.operation in WITH_SNAPSHOT
        assert (before["recorded"], before["journal"]) == ([], [])
        assert before["own"][killed] == int(with_snapshot)
        assert len(before["trash"]) == int(not with_snapshot)
        assert after["own"] == {killed: before["own"][killed], again: 0}
        for name in ("pointer", "head", "trash"):
            assert after[name] == before[name], (left.operation, name)
        [said] = after["recorded"]
        assert said["outcome"] == "nothing to do"
        assert said["snapshot_before"] == said["snapshot_id"] == after["head"]
        assert said["metadata_location_before"] == said["metadata_location"] == after["pointer"]
        assert (killed if with_snapshot else after["trash"][0]) in said["last_done"]
        assert after["journal"] == [[again, "nothing to do", after["pointer"]]]
