"""Judging a machine."""

import pytest

from dp_assets.core.ids import TableId
from dp_assets.domains.lake.doctor import Severity
from dp_assets.domains.lake.doctor_machine import (
    check_clock,
    check_disks,
    check_folder,
    check_software,
)
from dp_assets.ports.doctor import Folder, Pin, Software

OK, WARN, ERROR = Severity.OK, Severity.WARN, Severity.ERROR
MIB = 1024 * 1024
GIB = 1024 * MIB
NOW_MS = 1_700_000_000_000
ORDERS = TableId("raw", "orders")


@pytest.mark.parametrize(
    ("free", "total", "severity"),
    [
        pytest.param(20 * GIB, 100 * GIB, OK, id="plenty"),
        pytest.param(10 * GIB, 100 * GIB, OK, id="a-tenth-is-enough"),
        pytest.param(10 * GIB - 1, 100 * GIB, WARN, id="less-than-a-tenth"),
        pytest.param(5 * GIB, 20 * GIB, OK, id="5-GiB-are-enough"),
        pytest.param(5 * GIB - 1, 20 * GIB, WARN, id="less-than-5-GiB"),
        pytest.param(500 * MIB, 1 * GIB, WARN, id="500-MiB-are-little"),
        pytest.param(500 * MIB - 1, 600 * MIB, ERROR, id="less-than-500-MiB"),
        pytest.param(0, 0, ERROR, id="nothing"),
    ],
)
def test_free_space(free, total, severity):
    folder = Folder("state", "/s", device=1, free_bytes=free, total_bytes=total)
    (found,) = check_disks([folder])
    assert found.severity is severity
    assert bool(found.hint) is (severity is not OK)


def test_one_disk_is_named_once_and_a_store_never():
    def on(name: str, device: int | None) -> Folder:
        return Folder(name, f"/{name}", device=device, free_bytes=50 * GIB, total_bytes=60 * GIB)

    found = check_disks([on("state", 1), on("warehouse", 2), on("catalog", 1), on("s3", None)])
    assert sorted(f.subject for f in found) == ["disk of state and catalog", "disk of warehouse"]


@pytest.mark.parametrize(
    ("folder", "severity", "said"),
    [
        (Folder("state", "/s"), OK, "/s is writable"),
        (Folder("state", "/s", exists=False), WARN, "/s does not exist"),
        (Folder("state", "/s", refusal="Permission denied"), ERROR, "Permission denied"),
        (Folder("state", "/s", exists=False, refusal="Read-only"), ERROR, "Read-only"),
    ],
)
def test_folders(folder, severity, said):
    found = check_folder(folder)
    assert found.severity is severity
    assert said in found.what


@pytest.mark.parametrize(
    ("newest_ms", "severity"),
    [
        pytest.param(NOW_MS - 1, OK, id="in-the-past"),
        pytest.param(NOW_MS + 60_000, OK, id="a-minute-is-tolerated"),
        pytest.param(NOW_MS + 60_001, WARN, id="more-is-not"),
    ],
)
def test_the_clock_is_held_against_the_newest_commit(newest_ms, severity):
    found = check_clock(now_ms=NOW_MS, newest=(ORDERS, newest_ms))
    assert found.severity is severity
    assert ("raw.orders" in found.what) is (severity is WARN)


def test_without_commits_there_is_nothing_to_hold_the_clock_against():
    assert check_clock(now_ms=NOW_MS, newest=None).severity is OK


def software(**changed) -> Software:
    pins = changed.pop("pins", (Pin("duckdb", "1.5.5", "1.5.5"),))
    given = {"python": (3, 12), "python_from": (3, 11), "python_below": (3, 14), **changed}
    return Software(pins=pins, **given)


def test_fitting_software_is_one_line():
    (found,) = check_software(software())
    assert found.severity is OK


@pytest.mark.parametrize(
    ("changed", "subject", "severity"),
    [
        ({"python": (3, 10)}, "python", WARN),
        ({"python": (3, 14)}, "python", WARN),
        ({"pins": (Pin("pyiceberg", "0.12.0", "0.13.0"),)}, "pyiceberg", WARN),
        ({"pins": (Pin("pyiceberg", "0.12.0", ""),)}, "pyiceberg", WARN),
        ({"engine_refusal": "avro: file was built for DuckDB 1.5.5"}, "duckdb", ERROR),
    ],
)
def test_what_does_not_fit_is_named(changed, subject, severity):
    found = next(f for f in check_software(software(**changed)) if f.severity is not OK)
    assert (found.subject, found.severity) == (subject, severity)
    assert found.hint
