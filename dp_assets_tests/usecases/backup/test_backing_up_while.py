"""A recovery point is one moment of all tables, whatever others do while it is made."""

import pytest

from dp_assets.core.errors import TransientError
from dp_assets.core.units import now_ms
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.cut import MAX_RESTARTS
from dp_assets.domains.backup.documents import checked
from dp_assets.domains.backup.prune import Condemned, condemned_names
from dp_assets.lakehouse import opened
from dp_assets.usecases.backup.repositories import leases_of, open_for_reading, open_for_writing
from dp_assets_tests.adapters.real_lakehouse import ORDERS, local, pointer_of
from dp_assets_tests.usecases.backup.backups import (
    NAMES,
    SeenFiles,
    append,
    backup,
    check_repository,
    data_files,
    lakehouse,
    line_of,
    points_of,
)


@pytest.fixture
def settings(tmp_path):
    return lakehouse(tmp_path)


class Once:
    """Does something before a file of a table is opened for the n-th time."""

    def __init__(self, act, *, part="/orders/", at=1):
        self.act, self.part, self.left = act, part, at

    def __call__(self, location):
        if self.part in location:
            self.left -= 1
            if self.left == 0:
                self.act()


def test_a_commit_during_the_backup_is_in_the_next_point(settings):
    cut = pointer_of(settings)
    # names comes first: when its files are copied, the cut was taken already
    hook = Once(lambda: append(settings, first=500), part="/names/")
    outcome = backup(settings, files=SeenFiles(on_open=hook))
    assert pointer_of(settings) != cut
    assert line_of(outcome).pointer == cut
    assert (outcome.manifest.cut, outcome.manifest.skew_ms) == ("exact", 0)
    assert outcome.record.complete
    assert line_of(backup(settings)).pointer == pointer_of(settings)
    assert check_repository(settings) == (1, 2)


def test_a_file_that_an_expiry_removed_restarts_the_whole_cut(settings):
    """The other table gets a commit in between: it must be in the new cut, too."""

    def meanwhile():
        append(settings, first=500)
        append(settings, first=600, table=NAMES)
        expire(settings)

    outcome = backup(settings, files=SeenFiles(on_open=Once(meanwhile, at=3)))
    assert outcome.restarts == 1
    assert line_of(outcome).pointer == pointer_of(settings)
    assert line_of(outcome, NAMES).pointer == pointer_of(settings, NAMES)
    assert (outcome.record.complete, outcome.manifest.skew_ms) == (True, 0)
    assert check_repository(settings) == (1,)


def test_a_table_that_never_stands_still_is_taken_later_than_the_cut(settings):
    hook = Vanishing(settings, times=MAX_RESTARTS + 1)
    outcome = backup(settings, files=SeenFiles(on_open=hook))
    assert outcome.restarts == MAX_RESTARTS
    assert line_of(outcome).skew_ms > 0
    assert line_of(outcome, NAMES).skew_ms == 0
    assert outcome.manifest.skew_ms == line_of(outcome).skew_ms
    assert outcome.record.complete
    assert check_repository(settings) == (1,)


def test_a_table_that_outruns_every_attempt_is_incomplete_by_name(settings):
    outcome = backup(settings, files=SeenFiles(on_open=Vanishing(settings, times=100)))
    assert not outcome.record.complete
    assert "vanish" in line_of(outcome).problem
    assert line_of(outcome, NAMES).problem == ""
    assert check_repository(settings) == (1,)


def test_a_lost_file_makes_the_point_incomplete_by_name(settings):
    lost = data_files(settings)[0]
    lost.unlink()
    outcome = backup(settings)
    assert outcome.restarts == 0
    assert not outcome.record.complete
    assert lost.name in line_of(outcome).problem
    assert line_of(outcome, NAMES).problem == ""
    assert points_of(settings).numbers() == (1,)
    assert not points_of(settings).record(1).complete
    assert check_repository(settings) == (1,)


def test_a_short_file_makes_the_point_incomplete_by_name(settings):
    short = data_files(settings)[0]
    short.write_bytes(short.read_bytes()[:-1])
    problem = line_of(backup(settings)).problem
    assert short.name in problem
    assert "the table's metadata says" in problem


def test_a_table_dropped_while_it_is_copied_is_not_in_the_point(settings):
    def drop():
        with opened(settings) as lake:
            lake.catalog.purge_table(ORDERS.identifier)

    outcome = backup(settings, files=SeenFiles(on_open=Once(drop, at=3)))
    assert [line.table for line in outcome.manifest.tables] == ["raw.names"]
    assert outcome.record.complete


def test_a_second_backup_is_refused_naming_the_first(settings, tmp_path):
    quick = load_with(settings, "leases:\n  wait_seconds: 0\n")
    refused = []

    def second():
        with pytest.raises(TransientError) as found:
            backup(quick)
        refused.append(found.value.what)

    outcome = backup(settings, files=SeenFiles(on_open=Once(second)))
    assert "lease backup is held by" in refused[0]
    assert " pid " in refused[0]
    assert outcome.record.number == 1
    assert backup(quick).record.number == 2
    assert check_repository(settings) == (1, 2)


def test_the_lakehouse_is_held_while_it_is_copied(settings):
    held = []

    def look():
        with opened(settings) as lake:
            held.extend(lease.name for lease in lake.leases.held())

    backup(settings, files=SeenFiles(on_open=Once(look)))
    assert held == ["hold/recovery-point/00000001"]
    with opened(settings) as lake:
        assert lake.leases.held() == ()
    assert leases_of(open_for_reading(settings).store).held() == ()


def test_a_backup_whose_lease_was_lost_makes_no_point(settings):
    def steal():
        leases = leases_of(open_for_writing(settings).store)
        (lease,) = leases.held()
        leases.release(lease)
        leases.acquire("backup", owner="another", ttl_ms=60_000, wait_ms=0)

    with pytest.raises(TransientError, match="is lost"):
        backup(settings, files=SeenFiles(on_open=Once(steal)))
    assert points_of(settings).numbers() == ()


def test_what_is_condemned_while_the_backup_runs_is_stored_again(settings):
    backup(settings)
    names = {name for name, _, _ in references(settings, 1)}
    repository = open_for_writing(settings)
    for name in names:
        repository.store.put(layout.object_key(name), b"swept and garbage")

    def condemn():
        listed = checked(Condemned(1, now_ms(), tuple(sorted(names))))
        repository.store.create(layout.numbered_key(layout.CONDEMNED, 1), listed)

    append(settings, first=500, table=NAMES)
    outcome = backup(settings, files=SeenFiles(on_open=Once(condemn, part="/names/")))
    assert condemned_names(repository) == names
    assert outcome.record.complete
    points_of(settings).forget(1, now_ms=now_ms(), reason="its objects were swept")
    assert check_repository(settings) == (2,)


def test_what_was_condemned_before_is_stored_again(settings):
    backup(settings)
    names = sorted({name for name, _, _ in references(settings, 1)})
    repository = open_for_writing(settings)
    repository.store.create(
        layout.numbered_key(layout.CONDEMNED, 1), checked(Condemned(1, now_ms(), tuple(names)))
    )
    for name in names:
        repository.store.put(layout.object_key(name), b"swept and garbage")
    outcome = backup(settings)
    assert outcome.taken_over == 0  # both tables hold the same rows
    assert check_repository(settings) == (1, 2)


class Vanishing:
    """Whenever the table's metadata is read, its writer commits and expires what that names."""

    def __init__(self, settings, *, times):
        self.settings, self.left, self.first = settings, times, 1000

    def __call__(self, location):
        if self.left and "/orders/" in location and location.endswith(".json"):
            self.left -= 1
            self.first += 10
            append(self.settings, first=self.first)
            expire(self.settings)


def expire(settings):
    """Another engine expires all but the head, and deletes the manifest lists of the rest."""
    with opened(settings) as lake:
        table = lake.catalog.load_table(ORDERS.identifier)
        old = [s.manifest_list for s in table.snapshots()[:-1]]
        ids = [s.snapshot_id for s in table.snapshots()[:-1]]
        table.maintenance.expire_snapshots().by_ids(ids).commit()
    for location in old:
        local(location).unlink(missing_ok=True)


def references(settings, number):
    points = points_of(settings)
    line = next(t for t in points.manifest(points.record(number)).tables if t.table == str(ORDERS))
    return points.references(line.references.name).objects


def load_with(settings, text):
    from dp_assets.settings import load_settings

    file = settings.path.with_name("other.yaml")
    file.write_text(settings.path.read_text() + text)
    return load_settings(file, env={})
