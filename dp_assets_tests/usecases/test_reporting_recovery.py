"""What the report says about recovery, of real lakehouses."""

import json

from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import opened
from dp_assets.ports.report_recovery import PointLine, Recovery
from dp_assets.usecases.reporting import write
from dp_assets.usecases.reporting_recovery import look_at_recovery
from dp_assets_tests.adapters import real_lakehouse as real
from dp_assets_tests.usecases.backup import backups


def written(settings):
    with opened(settings) as lake:
        files = write(lake, run_id="r")
    return json.loads(files.json.read_text())


def test_a_lakehouse_without_a_repository_has_a_report_that_says_so(tmp_path):
    settings = real.make_lakehouse(tmp_path)
    report = written(settings)
    assert report["recovery"]["missing"].startswith("there is no repository at ")
    assert "'dp repo init'" in report["recovery"]["missing"]
    assert report["attention"] == []


def test_points_are_in_the_report_while_their_rows_still_wait_in_the_spool(tmp_path):
    settings = backups.lakehouse(tmp_path)
    first = backups.backup(settings)
    backups.append(settings, first=100)
    second = backups.backup(settings)
    recovery = written(settings)["recovery"]
    assert (recovery["points"], recovery["newest"]["number"]) == (2, second.record.number)
    assert [(a["kind"], a["point"], a["added_bytes"]) for a in recovery["history"]] == [
        ("point", first.record.number, first.record.copied_bytes),
        ("point", second.record.number, second.record.copied_bytes),
    ]
    assert (recovery["proof"], recovery["restore_seconds"]) == (None, None)


def test_ages_are_those_of_the_state_that_the_point_holds(tmp_path):
    settings = backups.lakehouse(tmp_path)
    record = backups.backup(settings).record
    at_ms = now_ms() + DAY_MS
    recovery = look_at_recovery(settings, now_ms=at_ms)
    assert recovery.newest == PointLine(
        number=record.number,
        cut_at_ms=record.cut_at_ms,
        age_ms=at_ms - record.cut_at_ms,
        tables=2,
        bytes=record.bytes,
    )
    assert not recovery.rpo_within
    assert recovery.attention[0].startswith("recovery: the newest point, 1, is 1 d 0 h old")


def test_a_damaged_repository_is_a_sentence(tmp_path):
    settings = backups.lakehouse(tmp_path)
    for file in backups.root_of(settings).glob("repository*.json"):
        file.write_bytes(b"{")
    found = look_at_recovery(settings, now_ms=now_ms())
    assert found == Recovery(missing=found.missing)
    assert found.missing
