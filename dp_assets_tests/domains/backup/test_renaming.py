"""Which tables, and what they are called afterwards."""

import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.backup.renaming import Rename, choose, is_glob, rename

TABLES = [TableId.parse(name) for name in ("raw.flights", "raw.planes", "ops.journal")]


def names(found: dict[TableId, TableId]) -> dict[str, str]:
    return {str(old): str(new) for old, new in found.items()}


@pytest.mark.parametrize(
    ("text", "new"),
    [
        pytest.param("raw.*=restored.*", "restored.flights", id="namespace"),
        pytest.param("*=old.*", "old.raw.flights", id="everything"),
        pytest.param("raw.flights=a.b", "a.b", id="one-table"),
        pytest.param("*.fl*=*.x_*", "raw.x_ights", id="two-stars"),
        pytest.param("ra.*=x.*", "raw.flights", id="not-about-it"),
        pytest.param("raw.flight=x.y", "raw.flights", id="whole-names-only"),
    ],
)
def test_renames(text: str, new: str):
    assert names(rename(TABLES[:1], [Rename.parse(text)])) == {"raw.flights": new}


def test_the_first_that_fits_counts():
    wanted = [Rename.parse("raw.planes=a.b"), Rename.parse("raw.*=c.*")]
    assert list(names(rename(TABLES, wanted)).values()) == ["c.flights", "a.b", "ops.journal"]


@pytest.mark.parametrize("text", ["", "a", "a=", "=b", "a.*=b", "a=b.*"])
def test_what_is_no_renaming_is_refused(text: str):
    with pytest.raises(ConfigurationError, match="not a renaming"):
        Rename.parse(text)


@pytest.mark.parametrize("text", ["raw.planes=raw.flights", "raw.planes=RAW.Flights"])
def test_two_tables_of_one_name_are_refused(text: str):
    with pytest.raises(ConfigurationError, match=r"raw\.flights, raw\.planes would get one name"):
        rename(TABLES, [Rename.parse(text)])


def test_chooses_by_whole_names():
    assert [str(t) for t in choose(TABLES, ["raw.*", "ops.journal"])] == [
        "ops.journal",
        "raw.flights",
        "raw.planes",
    ]
    assert choose(TABLES, []) == tuple(sorted(TABLES))
    with pytest.raises(ConfigurationError, match=r"no table raw\n"):
        choose(TABLES, ["raw"])
    assert is_glob("raw.*")
    assert not is_glob("raw.flights")
