"""What a restore decides before it writes."""

import pytest

from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.backup.restore_plan import (
    Beside,
    Refused,
    Wanted,
    choose_point,
    home,
    moved_namespace,
    require_free,
    require_named,
    require_room,
    uuid_of_copy,
)
from dp_assets.ports.recovery import PointRecord

FLIGHTS = TableId("raw", "flights")
BESIDE = Beside({FLIGHTS: "/w/1.json"}, {FLIGHTS: "uuid-a"})


def record(number: int, cut_at_ms: int, *, complete: bool = True) -> PointRecord:
    return PointRecord(
        number=number,
        format=1,
        lakehouse_id="",
        created_at_ms=0,
        cut_at_ms=cut_at_ms,
        complete=complete,
        tables=0,
        bytes=0,
        copied_bytes=0,
        seconds=0,
        manifest_sha256="",
        manifest_size=0,
        references=(),
        objects=(),
    )


POINTS = [
    record(4, 40, complete=False),
    record(3, 30),
    record(2, 20, complete=False),
    record(1, 10),
]


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        pytest.param(Wanted(), 3, id="newest-complete"),
        pytest.param(Wanted(point=4), 4, id="a-number-may-be-incomplete"),
        pytest.param(Wanted(as_of_ms=30), 3, id="at-its-cut"),
        pytest.param(Wanted(as_of_ms=29), 1, id="before-it-the-older-complete-one"),
    ],
)
def test_chooses_a_point(wanted: Wanted, number: int):
    assert choose_point(POINTS, wanted).number == number


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        pytest.param(Wanted(point=9), "no recovery point 9", id="no-such-number"),
        pytest.param(Wanted(as_of_ms=9), "no complete recovery point at or before", id="too-early"),
    ],
)
def test_there_may_be_none(wanted: Wanted, said: str):
    with pytest.raises(ConfigurationError, match=said):
        choose_point(POINTS, wanted)


def test_an_incomplete_one_is_offered_by_number():
    with pytest.raises(ConfigurationError, match="--point 4"):
        choose_point(POINTS[:1], Wanted())


def test_a_name_is_free_or_replaced_or_refused():
    other = TableId("raw", "planes")
    assert require_free(other, BESIDE, replace=False) == ""
    assert require_free(FLIGHTS, BESIDE, replace=True) == "/w/1.json"
    for table, replace in ((FLIGHTS, False), (TableId("RAW", "Flights"), True)):
        with pytest.raises(PermanentError, match=r"there is a table raw\.flights already"):
            require_free(table, BESIDE, replace=replace)


def test_only_beside_its_original_a_copy_gets_another_uuid():
    assert uuid_of_copy("UUID-a", BESIDE, replaced=None, new_id="new") == "new"
    assert uuid_of_copy("uuid-a", BESIDE, replaced=FLIGHTS, new_id="new") == "uuid-a"
    assert uuid_of_copy("uuid-b", BESIDE, replaced=None, new_id="new") == "uuid-b"


def test_a_table_lives_by_its_name_and_beside_what_it_replaces():
    assert home("s3://b/w/", TableId("a.b", "c")) == "s3://b/w/a/b/c"
    assert home("/w", FLIGHTS, suffix="12ab") == "/w/raw/flights-12ab"


def test_only_a_table_asked_for_by_its_name_stops_everything():
    refused = [Refused("raw.flights", "it is gone")]
    require_named(refused, ["raw.*"])
    require_named(refused, ["raw.planes"])
    with pytest.raises(PermanentError, match="it is gone"):
        require_named(refused, ["raw.flights"])


def test_room():
    require_room(10, 10, where="/w")
    require_room(10, None, where="s3://b")
    with pytest.raises(PermanentError, match="11 B are to be restored, /w has 10 B free"):
        require_room(11, 10, where="/w")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            {"location": "/old/w/raw", "a": "b"}, {"location": "/new/raw", "a": "b"}, id="in"
        ),
        pytest.param({"location": "/old/w2/raw"}, {}, id="outside"),
        pytest.param({"dp.id": "1", "dp.origin": "demo", "x": "y"}, {"x": "y"}, id="identity"),
    ],
)
def test_a_namespace_brings_what_is_true_there(old: dict[str, str], new: dict[str, str]):
    assert moved_namespace(old, old_root="/old/w/", new_root="/new") == new
