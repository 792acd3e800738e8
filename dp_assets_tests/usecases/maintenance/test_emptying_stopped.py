"""What stops the emptying of the trash: then nothing is deleted, and it is said why."""

from dataclasses import replace
from pathlib import Path

import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance_trash import TrashedFile
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.usecases.maintenance.expiries import (
    FREED,
    TABLE,
    after_the_window,
    check_whole,
    make_table,
    metadata_of,
    pointer_of,
    record_of,
    there,
)
from dp_assets_tests.usecases.maintenance.expiry_lakes import expired, lake, prepared

__all__ = ["expired", "lake", "prepared"]  # fixtures


def test_a_table_that_cannot_be_read_stops_everything(expired: Lakehouse):
    """It may name any file; which one it is is said."""
    record = record_of(expired)
    name = TableId("shop", "other")
    make_table(expired, name)
    Path(one_spelling(pointer_of(expired, name))).write_bytes(b"")
    with pytest.raises(PermanentError, match=r"shop\.other cannot be read"):
        after_the_window(expired)
    assert there(expired, record) == FREED
    assert record_of(expired) == record


def test_a_damaged_record_stops_everything(expired: Lakehouse):
    record = record_of(expired)
    open_trash(expired).put(replace(record, id="broken"))
    root = Path(one_spelling(str(expired.settings.warehouse.root)))
    (broken,) = root.rglob("broken.json")
    broken.write_bytes(broken.read_bytes()[:-40])
    with pytest.raises(PermanentError, match="broken"):
        after_the_window(expired)
    assert there(expired, record) == FREED


def test_an_empty_catalog_stops_everything(expired: Lakehouse):
    record = record_of(expired)
    expired.catalog.drop_table(TABLE.identifier)
    with pytest.raises(PermanentError, match="no tables"):
        after_the_window(expired)
    assert there(expired, record) == FREED


def test_a_table_that_is_gone_or_another_one_keeps_its_trash(expired: Lakehouse):
    """Dropped and made again under its name: whose files these are is not known."""
    record = record_of(expired)
    expired.catalog.drop_table(TABLE.identifier)
    make_table(expired, TABLE)
    (done,) = after_the_window(expired)
    assert record.uuid in done.why
    assert there(expired, record) == FREED


def test_a_renamed_table_is_known_by_its_uuid(expired: Lakehouse):
    expired.catalog.rename_table(TABLE.identifier, ("shop", "renamed"))
    (done,) = after_the_window(expired)
    assert done.files == FREED


def test_an_older_answer_of_the_catalog_stops_it(expired: Lakehouse):
    """A restored catalog: it shows the table before files were written that the trash names."""
    record = record_of(expired)
    older = metadata_of(expired)["metadata-log"][3]["metadata-file"]
    expired.catalog.drop_table(TABLE.identifier)
    expired.catalog.register_table(TABLE.identifier, older)
    (done,) = after_the_window(expired)
    assert "as it was before" in done.why
    assert there(expired, record) == FREED
    expired.catalog.drop_table(TABLE.identifier)
    expired.catalog.register_table(TABLE.identifier, record.pointer)
    (done,) = after_the_window(expired)
    assert "the snapshots again" in done.why
    assert there(expired, record) == FREED
    check_whole(pointer_of(expired))


def test_another_lakehouse_deletes_nothing(expired: Lakehouse):
    """A clone with an identity of its own still has records that name the original's files."""
    record = record_of(expired)
    open_trash(expired).put(replace(record, lakehouse_id="another"))
    (done,) = after_the_window(expired)
    assert "lakehouse another" in done.why
    assert there(expired, record) == FREED


def test_a_copy_without_an_identity_of_its_own_is_refused(expired: Lakehouse):
    record = record_of(expired)
    expired.settings.warehouse.__dict__["root"] = f"{expired.settings.warehouse.root}/."
    with pytest.raises(PermanentError, match="not lakehouse"):
        after_the_window(expired)
    assert there(expired, record) == FREED


def test_a_file_of_an_unknown_kind_of_place_stops_everything(expired: Lakehouse):
    record = record_of(expired)
    strange = TrashedFile("hdfs://lake/x", "data", 1)
    open_trash(expired).put(replace(record, id="strange", files=(strange,)))
    with pytest.raises(PermanentError, match="hdfs://lake/x"):
        after_the_window(expired)
    assert there(expired, record) == FREED
