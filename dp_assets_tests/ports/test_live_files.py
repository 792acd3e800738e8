"""Which deletes may apply to a data file: too many cost time, too few would bring rows back."""

from typing import Any

import pytest

from dp_assets.ports.closure import LiveEntry
from dp_assets.ports.live_files import LiveFile, global_specs, live_files, may_apply
from dp_assets.ports.recovery import FileKind
from dp_assets_tests.domains.maintenance.closures import closure_of, data, deletes, entry

POSITION, EQUALITY = FileKind.POSITION_DELETES, FileKind.EQUALITY_DELETES
VECTOR = FileKind.DELETION_VECTORS
PATH = "/t/data/month=2013-01/m.parquet"
FEBRUARY = '{"month":"2013-02"}'
DATA = LiveFile(data(PATH, 10, sequence=5), 0)
MONTH = {"source-id": 1, "transform": "identity", "name": "month"}
VOID = {"source-id": 1, "transform": "void", "name": "month"}


def delete(kind: FileKind, sequence: int, spec_id: int = 0, **known: Any) -> LiveFile:
    is_global = known.pop("is_global", False)
    return LiveFile(entry("/d", kind, sequence=sequence, **known), spec_id, is_global=is_global)


@pytest.mark.parametrize(
    ("one", "applies"),
    [
        pytest.param(delete(POSITION, 5), True, id="position-of-the-same-commit"),
        pytest.param(delete(POSITION, 4), False, id="position-before-the-data"),
        pytest.param(delete(POSITION, 6, partition=FEBRUARY), False, id="another-partition"),
        pytest.param(delete(POSITION, 6, spec_id=1), False, id="another-spec"),
        pytest.param(delete(POSITION, 6, lower=b"/t/data/n"), False, id="below-its-bounds"),
        pytest.param(delete(POSITION, 6, upper=b"/t/data/l"), False, id="above-its-bounds"),
        pytest.param(delete(POSITION, 6, lower=b"/t", upper=b"/u"), True, id="within-its-bounds"),
        pytest.param(
            delete(POSITION, 6, lower=PATH[:16].encode(), upper=PATH[:16].encode()),
            True,
            id="bounds-that-were-cut",
        ),
        pytest.param(
            delete(POSITION, 6, partition='{"_month":"2013-01"}'), True, id="spelled-otherwise"
        ),
        pytest.param(delete(POSITION, 6, referenced=PATH), True, id="about-this-file"),
        pytest.param(delete(POSITION, 4, referenced=PATH), False, id="about-it-and-too-old"),
        pytest.param(delete(POSITION, 6, referenced="/t/x"), False, id="about-another-file"),
        pytest.param(delete(VECTOR, 6, referenced=PATH), True, id="vector-of-this-file"),
        pytest.param(delete(VECTOR, 6, referenced="/t/x"), False, id="vector-of-another"),
        pytest.param(delete(EQUALITY, 5), False, id="equality-of-the-same-commit"),
        pytest.param(delete(EQUALITY, 6), True, id="equality-after-the-data"),
        pytest.param(delete(EQUALITY, 6, partition=FEBRUARY), False, id="equality-elsewhere"),
        pytest.param(
            delete(EQUALITY, 6, partition='{"month":null}'), False, id="equality-of-no-month"
        ),
        pytest.param(
            delete(EQUALITY, 6, 1, partition="", is_global=True), True, id="equality-everywhere"
        ),
        pytest.param(
            delete(EQUALITY, 5, 1, partition="", is_global=True), False, id="everywhere-too-old"
        ),
    ],
)
def test_a_delete_applies_by_number_partition_and_path(one: LiveFile, applies: bool):
    assert may_apply(one, DATA) is applies


@pytest.mark.parametrize(
    ("fields", "applies"),
    [([MONTH], False), ([VOID], True), ([], True), ([VOID, MONTH], False)],
)
def test_an_equality_delete_of_a_spec_without_partitions_applies_everywhere(fields, applies):
    """A partition of nulls is one; an all-void spec has none, whatever is in its tuple."""
    specs = [{"spec-id": 0, "fields": [MONTH]}, {"spec-id": 1, "fields": fields}]
    one = entry("/e", EQUALITY, sequence=6, partition='{"month":null}')
    closure = closure_of(data(PATH, 1), by_spec={1: (one,)}, partition_specs=specs)
    file, found = live_files(closure, closure.snapshots[0])
    assert may_apply(found, file) is applies


def test_a_table_of_version_1_may_have_one_spec_only():
    assert global_specs({"partition-spec": [MONTH]}) == frozenset()
    assert global_specs({}) == frozenset({0})


def test_a_manifest_that_is_broken_is_passed_over():
    closure = closure_of(data(PATH, 1), by_spec={1: (deletes("/d"),)})
    whole = list(live_files(closure, closure.snapshots[0]))
    assert [(f.entry.path, f.spec_id, f.manifest_path) for f in whole] == [
        (PATH, 0, "/m0"),
        ("/d", 1, "/m1"),
    ]
    del closure.manifests["/m1"]  # type: ignore[attr-defined]
    assert list(live_files(closure, closure.snapshots[0])) == whole[:1]


def test_a_table_without_numbers_counts_from_zero():
    plain = LiveEntry("/f", FileKind.DATA, "PARQUET", 1, 1, "", added=True)
    assert LiveFile(plain, 0).sequence_number == 0
