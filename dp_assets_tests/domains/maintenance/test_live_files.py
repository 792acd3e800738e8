"""Which deletes may apply to a data file: too many cost time, too few would bring rows back."""

from typing import Any

import pytest

from dp_assets.domains.maintenance.live_files import Deletes, LiveFile
from dp_assets.ports.recovery import FileKind
from dp_assets_tests.domains.maintenance.closures import data, entry

POSITION, EQUALITY = FileKind.POSITION_DELETES, FileKind.EQUALITY_DELETES
VECTOR = FileKind.DELETION_VECTORS
PATH = "/t/data/month=2013-01/m.parquet"
DATA = LiveFile(data(PATH, 10, sequence=5), 0, "/m")
FEBRUARY = '{"month":"2013-02"}'


def delete(kind: FileKind, sequence: int, spec_id: int = 0, **known: Any) -> LiveFile:
    return LiveFile(entry("/d", kind, sequence=sequence, **known), spec_id, "/m")


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
        pytest.param(delete(POSITION, 6, referenced=PATH), True, id="about-this-file"),
        pytest.param(delete(POSITION, 4, referenced=PATH), False, id="about-it-and-too-old"),
        pytest.param(delete(POSITION, 6, referenced="/t/x"), False, id="about-another-file"),
        pytest.param(delete(VECTOR, 6, referenced=PATH), True, id="vector-of-this-file"),
        pytest.param(delete(VECTOR, 6, referenced="/t/x"), False, id="vector-of-another"),
        pytest.param(delete(EQUALITY, 5), False, id="equality-of-the-same-commit"),
        pytest.param(delete(EQUALITY, 6), True, id="equality-after-the-data"),
        pytest.param(delete(EQUALITY, 6, partition=FEBRUARY), False, id="equality-elsewhere"),
        pytest.param(delete(EQUALITY, 6, partition="", spec_id=1), True, id="equality-everywhere"),
        pytest.param(
            delete(EQUALITY, 6, partition='{"v":null}', spec_id=1), True, id="equality-all-void"
        ),
    ],
)
def test_a_delete_applies_by_number_partition_and_path(one: LiveFile, applies: bool) -> None:
    assert Deletes([one]).of(DATA) == ((one,) if applies else ())


def test_data_is_no_delete_and_the_order_is_fixed() -> None:
    vectors = [delete(VECTOR, 6, referenced=PATH, offset=offset) for offset in (9, 4)]
    assert Deletes([DATA, *vectors]).of(DATA) == (vectors[1], vectors[0])
