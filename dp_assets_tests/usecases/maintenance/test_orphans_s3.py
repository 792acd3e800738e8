"""Orphans of tables in a real bucket, of a REST catalog, before a server that fails on purpose."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from dp_assets.core.errors import LakeError, PermanentError, TransientError
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.maintenance import MaintenanceRefusedError
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.finding_orphans import Orphans, find_orphans
from dp_assets.usecases.maintenance.recording_orphans import record_orphans
from dp_assets.usecases.maintenance.trash import open_trash, take_out
from dp_assets_tests.adapters.faulty_s3 import FaultyS3, faulty, listing
from dp_assets_tests.recovery.rest_lakes import rest_settings
from dp_assets_tests.services import Rest
from dp_assets_tests.usecases.maintenance.expiries import TABLE, make_table, run_expiry
from dp_assets_tests.usecases.maintenance.orphans import AGE_MS

# As engines write them: percent signs and spaces mean themselves.
NAMES = ("data/day=2013-01-01/a b%20c=ü.parquet", "data/0101/1100/x.parquet", "metadata/a-m0.avro")
CONTENT = b"PAR1 orphan PAR1"


@pytest.fixture
def proxy(rest: Rest) -> Generator[FaultyS3]:
    with faulty(rest.s3.service.address) as running:
        yield running


@pytest.fixture
def lake(tmp_path: Path, rest: Rest) -> Generator[Lakehouse, None, None]:
    settings = rest_settings(tmp_path / "lakehouse.yaml", rest)
    initialise(settings)
    with opened(settings) as found:
        make_table(found, TABLE)
        yield found


@pytest.fixture
def through(
    lake: Lakehouse, tmp_path: Path, rest: Rest, proxy: FaultyS3
) -> Generator[Lakehouse, None, None]:
    """The same lakehouse through the proxy."""
    behind = replace(rest, more={"s3.endpoint": proxy.address})
    with opened(rest_settings(tmp_path / "proxy" / "lakehouse.yaml", behind)) as found:
        yield found


def plant(lake: Lakehouse, below: str) -> str:
    location = f"{lake.catalog.load_table(TABLE.identifier).location()}/{below}"
    with lake.files.create(location) as file:
        file.write(CONTENT)
        file.commit(replace=True)
    return location


def in_days(lake: Lakehouse, days: int = 4) -> Orphans:
    """As a sweep in some days would see it: the bucket says when an object was written."""
    return find_orphans(lake, TABLE, age_ms=AGE_MS, now_ms=now_ms() + days * DAY_MS)


def rows(lake: Lakehouse) -> list[dict]:
    return lake.catalog.load_table(TABLE.identifier).scan().to_arrow().to_pylist()


def test_they_are_found_recorded_restored_and_go(lake: Lakehouse):
    before = rows(lake)
    run_expiry(lake)
    assert in_days(lake).files == ()  # what it freed is in the trash
    expiry = open_trash(lake).all()
    planted = {plant(lake, name) for name in NAMES}
    assert in_days(lake, days=2).files == ()
    orphans = in_days(lake)
    assert {file.path for file in orphans.files} == planted
    record = record_orphans(lake, orphans, now_ms=now_ms())
    assert {file.path for file in record.files} == planted
    assert in_days(lake).files == ()
    take_out(lake, record.id)
    open_trash(lake).remove(*expiry)
    assert empty_trash(lake, now_ms=record.until_ms, at_once=True) == ()
    assert {lake.files.read(path) for path in planted} == {CONTENT}
    open_trash(lake).put(record)
    plant(lake, NAMES[1])  # the same bytes again, hence the same etag: nothing has changed
    with lake.files.create(path := next(p for p in planted if NAMES[2] in p)) as file:
        file.write(CONTENT[::-1])
        file.commit(replace=True)
    (done,) = empty_trash(lake, now_ms=record.until_ms)
    assert (done.files, done.named) == (2, 1)
    assert {p for p in planted if lake.files.stat(p)} == {path}
    assert rows(lake) == before


FAULTS: tuple[tuple[int | str, type[LakeError], str], ...] = (
    (503, TransientError, "too busy"),
    (403, PermanentError, "access denied"),
    ("cut", TransientError, "list s3://"),
    (listing(), MaintenanceRefusedError, "lacks files"),
)


def test_a_listing_that_fails_stops_it(lake: Lakehouse, through: Lakehouse, proxy: FaultyS3):
    plant(lake, NAMES[0])
    assert len(in_days(through).files) == 1
    proxy.matching = "list-type.*shop"  # not of the leases
    for fault, error, words in FAULTS:
        proxy.fault = fault
        with pytest.raises(error, match=words):
            in_days(through)
    prefix = lake.catalog.load_table(TABLE.identifier).location().partition("/lake/")[2]
    keys = f"{prefix}/data/a", f"{prefix}/data/b"
    first, plain = listing(*keys, following="again"), proxy.next_fault
    for second, error, words in (
        (listing(*keys), PermanentError, "goes from"),
        (503, TransientError, "too busy"),
    ):
        pages = iter([first])
        proxy.fault = second
        proxy.next_fault = lambda asked, pages=pages, second=second: (
            next(pages, second) if "list-type" in asked and "shop" in asked else plain(asked)
        )
        with pytest.raises(error, match=words):
            in_days(through)
