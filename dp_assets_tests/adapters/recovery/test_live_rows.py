"""Which deletes may apply to which data file, by what the manifests say."""

import pytest

from dp_assets.adapters.recovery.live_rows import Scoped, may_apply
from dp_assets.ports.closure import LiveEntry
from dp_assets.ports.recovery import FileKind

PATH = "/t/data/m.parquet"


def entry(kind: FileKind, sequence: int, *, partition: str = "p", spec: int = 0, **more) -> Scoped:
    path = PATH if kind is FileKind.DATA else "/t/data/d"
    return Scoped(
        LiveEntry(
            path=path,
            kind=kind,
            format="PARQUET",
            size=1,
            records=1,
            partition=partition,
            added=False,
            sequence_number=sequence,
            **more,
        ),
        spec,
    )


POSITION, EQUALITY = FileKind.POSITION_DELETES, FileKind.EQUALITY_DELETES
DATA = entry(FileKind.DATA, 5)


@pytest.mark.parametrize(
    ("delete", "applies"),
    [
        pytest.param(entry(POSITION, 5), True, id="same-commit"),
        pytest.param(entry(POSITION, 4), False, id="older-than-the-data"),
        pytest.param(entry(POSITION, 6, partition="q"), False, id="another-partition"),
        pytest.param(entry(POSITION, 6, spec=1), False, id="another-spec"),
        pytest.param(entry(POSITION, 6, lower=b"/t/data/n"), False, id="below-its-bounds"),
        pytest.param(entry(POSITION, 6, upper=b"/t/data/l"), False, id="above-its-bounds"),
        pytest.param(entry(POSITION, 6, lower=b"/t", upper=b"/u"), True, id="inside-its-bounds"),
        pytest.param(entry(POSITION, 6, referenced=PATH), True, id="about-this-file"),
        pytest.param(entry(POSITION, 6, referenced="/t/x"), False, id="about-another-file"),
        pytest.param(entry(EQUALITY, 5), False, id="equality-of-the-same-commit"),
        pytest.param(entry(EQUALITY, 6), True, id="equality-after-the-data"),
        pytest.param(entry(EQUALITY, 6, partition="q"), False, id="equality-elsewhere"),
        pytest.param(entry(EQUALITY, 6, partition="", spec=1), True, id="equality-everywhere"),
    ],
)
def test_a_delete_applies_by_number_partition_and_path(delete: Scoped, applies: bool):
    assert may_apply(delete, DATA) is applies
