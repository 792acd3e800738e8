"""The way back for a broken pointer, and what is told about tables."""

import pytest

from dp_assets.core.ids import TableId
from dp_assets.domains.lake.doctor import Severity
from dp_assets.domains.lake.doctor_tables import (
    Repair,
    check_tables,
    lost_text,
    number,
    way_back,
)
from dp_assets.ports.doctor import LostSnapshot, MetadataFile, TableReading

ORDERS, OTHER = TableId("raw", "orders"), TableId("raw", "other")


def file(name: str, *, problem: str = "", uuid: str = "u", log: str = "", **more) -> MetadataFile:
    logged = tuple(at(entry) for entry in log.split())
    return MetadataFile(at(name), problem=problem, uuid=uuid, log=logged, **more)


def at(name: str) -> str:
    return f"file:///w/t/metadata/{name}.metadata.json"


def bad(name: str) -> MetadataFile:
    return MetadataFile(at(name), problem="is empty")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("00007-3f1c.metadata.json", 7),
        ("00007-3f1c.gz.metadata.json", 7),
        ("v12.metadata.json", 12),
        ("v3.gz.metadata.json", 3),
        ("latest.metadata.json", None),
        ("00007-3f1c.avro", None),
    ],
)
def test_numbers_of_metadata_files(name, expected):
    assert number(f"s3://b/t/metadata/{name}") == expected


def test_the_recorded_state_before_is_taken_when_it_reads_well():
    previous = file("00004-a")
    found = way_back(at("00005-a"), previous=previous, others=[file("00004-lost-its-race")])
    assert found.target == previous


@pytest.mark.parametrize(
    ("others", "target"),
    [
        pytest.param([file("00002-a"), file("00003-a", log="00002-a")], "00003-a", id="the-newest"),
        pytest.param([file("00003-a"), bad("00002-a")], "00003-a", id="older-damage-is-no-matter"),
        pytest.param([bad("00003-a"), file("00002-a")], "00002-a", id="the-next-that-reads-well"),
        pytest.param([file("00003-a", list_problem="x"), file("00002-a")], "00002-a", id="no-rows"),
        pytest.param([file("00004-b"), file("00003-a")], "00003-a", id="not-beside-the-recorded"),
        pytest.param([file("00006-b"), file("00003-a")], "00003-a", id="never-a-newer-one"),
        pytest.param([file("00003-a"), file("00003-b")], None, id="two-of-one-number"),
        pytest.param(
            [file("00003-a"), file("00003-b"), file("00004-b", log="00003-b")],
            "00003-b",
            id="two-of-one-number-but-one-is-logged",
        ),
        pytest.param([file("00003-a"), bad("00003-b")], None, id="the-damaged-one-may-be-it"),
        pytest.param([file("00003-a"), file("00002-x", uuid="v")], None, id="two-tables-in-it"),
        pytest.param([], None, id="nothing-left"),
    ],
)
def test_else_the_newest_that_was_certainly_committed(others, target):
    found = way_back(at("00005-a"), previous=bad("00004-a"), others=[*others, bad("00004-a")])
    assert (found.target and found.target.location) == (target and at(target))
    assert bool(found.reason) is (target is None)


def test_a_known_uuid_tells_two_tables_of_one_folder_apart():
    others = [file("00003-a", uuid="mine"), file("00003-b", uuid="old")]
    found = way_back(at("00005-a"), previous=bad("00004-a"), others=others, uuid="mine")
    assert found.target == others[0]


@pytest.mark.parametrize("number_of_it", ["00004-a", "00003-a"])
def test_a_state_out_of_reach_is_not_passed_over(number_of_it):
    away = MetadataFile(at(number_of_it), problem="permission denied", is_reachable=False)
    previous = away if number_of_it == "00004-a" else bad("00004-a")
    found = way_back(at("00005-a"), previous=previous, others=[away, file("00002-a")])
    assert found.target is None
    assert "permission denied" in found.reason


def test_a_new_table_has_nothing_to_go_back_to():
    assert way_back(at("00000-a"), previous=None, others=[file("00000-b")]).target is None


def judged(*readings, repairs=(), stuck=None):
    return list(check_tables(readings, repairs, stuck or {}))


def test_a_broken_pointer_names_table_pointer_way_back_and_loss():
    broken, target = bad("00005-a"), file("00004-a")
    repair = Repair(ORDERS, broken, target, (LostSnapshot(77, added_rows=3, deleted_rows=0),))
    (found,) = judged(TableReading(ORDERS, broken), repairs=[repair])
    assert (found.severity, found.subject) == (Severity.ERROR, "table raw.orders")
    assert target.location in found.hint
    assert "the last commit (snapshot 77: 3 rows written, 0 removed)" in found.hint


def test_several_lost_commits_are_counted_and_unknown_ones_admitted():
    repair = Repair(ORDERS, bad("00005-a"), file("00003-a"))
    assert lost_text(repair).startswith("the last 2 commits (no snapshot of it was found)")


@pytest.mark.parametrize(
    ("reading", "severity", "said"),
    [
        (TableReading(ORDERS, bad("00001-a")), Severity.ERROR, "not repaired: why"),
        (
            TableReading(ORDERS, file("00001-a", list_problem="list gone")),
            Severity.ERROR,
            "list gone",
        ),
        (
            TableReading(ORDERS, MetadataFile(at("a"), problem="denied", is_reachable=False)),
            Severity.ERROR,
            "denied",
        ),
        (
            TableReading(ORDERS, file("00001-a", is_adopted=True), newer=(at("00002-b"),)),
            Severity.WARN,
            "1 metadata file newer than its pointer: 00002-b.metadata.json",
        ),
    ],
)
def test_one_table_each(reading, severity, said):
    found = next(f for f in judged(reading, stuck={ORDERS: "why"}) if f.subject != "foreign tables")
    assert found.severity is severity
    assert said in found.what
    assert found.hint


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("file:///w/t", "/w/t/", True),
        ("s3a://b/t", "s3://b/t", True),
        ("s3://b/t", "s3://b/t2", False),
        ("", "", False),
    ],
)
def test_two_tables_at_one_location(first, second, shared):
    readings = [
        TableReading(t, file(str(i), table_location=location, is_adopted=True))
        for i, (t, location) in enumerate([(ORDERS, first), (OTHER, second)])
    ]
    found = [f for f in judged(*readings) if f.subject == "locations"]
    assert bool(found) is shared
    if shared:
        assert found[0].severity is Severity.WARN
        assert "raw.orders, raw.other" in found[0].what


def test_foreign_tables_are_listed_with_the_way_to_adopt_them():
    found = judged(TableReading(ORDERS, file("1", is_adopted=True)), TableReading(OTHER, file("2")))
    assert [f.what for f in found if f.subject == "pointers"] == [
        "2 tables with a pointer that reads well"
    ]
    foreign = next(f for f in found if f.subject == "foreign tables")
    assert (foreign.severity, foreign.what[:9]) == (Severity.OK, "1 foreign")
    assert "raw.other" in foreign.what
    assert "'dp adopt NAME'" in foreign.hint
