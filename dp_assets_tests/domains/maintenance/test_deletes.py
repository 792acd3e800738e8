"""The deletes of a data file are found without asking of every pair."""

from dp_assets.domains.maintenance.deletes import Deletes
from dp_assets.ports.live_files import LiveFile, may_apply
from dp_assets.ports.recovery import FileKind
from dp_assets_tests.domains.maintenance.closures import data, deletes, entry

PATH = "/t/m.parquet"
DATA = LiveFile(data(PATH, 10, sequence=5), 0)
EVERYWHERE = LiveFile(
    entry("/e", FileKind.EQUALITY_DELETES, sequence=6, partition=""), 1, is_global=True
)
HERE = LiveFile(entry("/h", FileKind.EQUALITY_DELETES, sequence=6), 0)
POSITIONS = LiveFile(deletes("/p", sequence=6), 0)


def vector(offset: int, referenced: str = PATH) -> LiveFile:
    known = {"sequence": 6, "referenced": referenced, "offset": offset}
    return LiveFile(entry("/d", FileKind.DELETION_VECTORS, **known), 0)


def test_data_is_no_delete_and_the_order_is_fixed() -> None:
    found = Deletes([DATA, vector(9), POSITIONS, HERE, EVERYWHERE]).of(DATA)
    assert found == (vector(9), EVERYWHERE, HERE)
    assert Deletes([HERE, EVERYWHERE, POSITIONS]).of(DATA) == (POSITIONS, EVERYWHERE, HERE)


def test_a_vector_takes_the_place_of_position_deletes_of_its_file_only() -> None:
    other = LiveFile(data("/t/other", 10, sequence=5), 0)
    asked = Deletes([vector(4), POSITIONS])
    assert asked.of(DATA) == (vector(4),)
    assert asked.of(other) == (POSITIONS,)


def test_what_is_elsewhere_or_too_old_is_not_found() -> None:
    newer = LiveFile(data(PATH, 10, sequence=7), 0)
    february = LiveFile(data("/t/f", 10, sequence=5, partition='{"month":"2013-02"}'), 0)
    asked = Deletes([vector(4), POSITIONS, EVERYWHERE, HERE])
    assert asked.of(newer) == ()
    assert asked.of(february) == (EVERYWHERE,)


def test_what_is_found_is_what_may_apply() -> None:
    """Of every number, partition and kind."""
    partitions = [("", 1), ('{"month":null}', 0), ('{"month":"2013-01"}', 0)]
    kinds = (FileKind.EQUALITY_DELETES, FileKind.POSITION_DELETES)
    some = [
        LiveFile(entry(f"/{n}", kind, sequence=n, partition=where), spec, is_global=spec == 1)
        for n in range(4, 8)
        for kind in kinds
        for where, spec in partitions
    ]
    asked = Deletes(some)
    for number in range(3, 9):
        for where, spec in partitions:
            one = LiveFile(data(PATH, 1, sequence=number, partition=where), spec)
            assert set(asked.of(one)) == {delete for delete in some if may_apply(delete, one)}
