"""The identity that `dp init` keeps, makes or refuses."""

import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.identity import Identity, Place, recorded
from dp_assets.domains.lake.initialisation import plan_identity, tables_shared

HERE = Place("sqlite:////here/catalog.db", "file:///here/warehouse")
THERE = Place("sqlite:////there/catalog.db", "file:///there/warehouse")


def test_the_first_identity_is_new_and_recorded_with_its_place():
    plan = plan_identity(None, HERE, origin="demo", new_id="id-1", renew=False)
    assert plan.identity == Identity("id-1", HERE, "demo")
    assert recorded(plan.changes) == plan.identity


def test_an_identity_of_this_place_is_kept_whatever_is_asked():
    found = Identity("id-1", HERE, "")
    plan = plan_identity(found, HERE, origin="demo", new_id="id-2", renew=False)
    assert plan.identity == found
    assert plan.changes == {}


@pytest.mark.parametrize("origin", ["", "demo"])
def test_an_identity_of_another_place_is_refused(origin):
    with pytest.raises(PermanentError, match="this is not lakehouse id-1 itself"):
        plan_identity(
            Identity("id-1", THERE, origin), HERE, origin=origin, new_id="id-2", renew=False
        )


def test_a_copy_gets_its_own_and_keeps_origin_and_the_old_id():
    plan = plan_identity(
        Identity("id-1", THERE, "demo"), HERE, origin="", new_id="id-2", renew=True
    )
    assert plan.identity == Identity("id-2", HERE, "demo")
    assert plan.changes["dp.cloned-from"] == "id-1"


def test_tables_under_the_originals_warehouse_are_shared():
    inside, foreign, moved = (TableId("raw", name) for name in ("inside", "foreign", "moved"))
    pointers = {
        inside: "file:///there/warehouse/raw/inside/metadata/1.metadata.json",
        foreign: "s3://elsewhere/metadata/1.metadata.json",
        moved: "file:///here/warehouse/raw/moved/metadata/1.metadata.json",
    }
    assert tables_shared(Identity("id-1", THERE, ""), HERE, pointers) == (inside,)
    assert tables_shared(Identity("id-1", HERE, ""), HERE, pointers) == ()
    assert tables_shared(None, HERE, pointers) == ()
