"""Where `dp doctor` tries to write: where we do, which need not be in the warehouse."""

from pathlib import Path

from dp_assets.domains.lake.doctor import Severity
from dp_assets.lakehouse import opened
from dp_assets.usecases.diagnosis import diagnose
from dp_assets.usecases.initialising import initialise
from dp_assets_tests.adapters.real_lakehouse import settings_in
from dp_assets_tests.recovery.rest_lakes import rest_settings
from dp_assets_tests.services import Rest


def test_a_warehouse_that_takes_files_of_tables_only(tmp_path: Path, seaweed_rest: Rest):
    """It refuses our probe, and anything else that we never write there."""
    settings = rest_settings(tmp_path / "lakehouse.yaml", seaweed_rest)
    initialise(settings)
    with opened(settings) as lake:
        found = {one.subject: one for one in diagnose(lake).findings}
    assert "warehouse folder" not in found
    assert found["leases folder"].severity is Severity.OK
    assert seaweed_rest.s3.url in found["leases folder"].what


def test_what_is_left_there_is_found(tmp_path: Path):
    """Where leases and the trash are: beside the warehouse, when the settings say so."""
    settings = settings_in(tmp_path, f"leases:\n  root: {tmp_path}/shared\n")
    initialise(settings)
    left = tmp_path / "shared" / "_dp" / "tmp" / ".0123456789abcdef.tmp"
    left.parent.mkdir(parents=True)
    left.touch()
    with opened(settings) as lake:
        findings = diagnose(lake).findings
    assert "temporary files" in {one.subject for one in findings}
    assert {"leases folder", "warehouse folder"} <= {one.subject for one in findings}
