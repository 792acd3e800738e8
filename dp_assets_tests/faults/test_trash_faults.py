"""A delete that fails half-way, and the same command again (FAULTS 15)."""

import pytest

from dp_assets.adapters.objects.lake_files import CatalogFiles
from dp_assets.core.errors import TransientError
from dp_assets.lakehouse import Lakehouse
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.usecases.maintenance.expiries import (
    FREED,
    after_the_window,
    check_whole,
    files_below,
    pointer_of,
    record_of,
    there,
)
from dp_assets_tests.usecases.maintenance.expiry_lakes import expired, lake, prepared

__all__ = ["expired", "lake", "prepared"]

LANDED = 7  # deletes before the store breaks off


def test_the_rest_goes_with_the_next_run(expired: Lakehouse, monkeypatch: pytest.MonkeyPatch):
    record, before = record_of(expired), files_below(expired)
    real, done = CatalogFiles.delete, list[str]()

    def delete(files: CatalogFiles, location: str) -> None:
        if len(done) == LANDED:
            raise TransientError(f"delete {location}: 503", hint="run it again")
        done.append(location)
        real(files, location)

    with monkeypatch.context() as patch:
        patch.setattr(CatalogFiles, "delete", delete)
        with pytest.raises(TransientError, match="503"):
            after_the_window(expired)
    assert there(expired, record) == FREED - LANDED
    check_whole(pointer_of(expired))
    after_the_window(expired)
    assert there(expired, record) == 0
    assert open_trash(expired).all() == ()
    assert len(before) - len(files_below(expired)) == FREED
    check_whole(pointer_of(expired))
