"""Row groups are taken over only where a rewrite would not make better ones, or other rows."""

from dataclasses import replace

import pytest

from dp_assets.core.units import MIB
from dp_assets.domains.maintenance.row_group_rule import refused_by_footers, refused_by_plan
from dp_assets.ports.compaction import DeleteFile, Group, InputFile
from dp_assets.ports.recovery import FileKind
from dp_assets.ports.row_groups import FooterFacts, TableWants

PLAIN = TableWants(format_version=2, is_sorted=False, codec="ZSTD")
INPUTS = tuple(InputFile(f"/f{n}", 16 * MIB, 10, 1, 1, None, "/m") for n in range(2))
GROUP = Group(spec_id=0, partition="", inputs=INPUTS, deletes=(), target_bytes=128 * MIB)
DELETE = DeleteFile("/d", FileKind.POSITION_DELETES, 2, "/m", "PARQUET", 10, 1)
FOOTER = FooterFacts(
    path="/f",
    alike=b"columns",
    is_current=True,
    codecs=frozenset({"ZSTD"}),
    row_group_bytes=(20 * MIB, 12 * MIB),
    is_whole=True,
)


@pytest.mark.parametrize(
    ("group", "wants", "why"),
    [
        pytest.param(GROUP, PLAIN, "", id="nothing-against-it"),
        pytest.param(replace(GROUP, deletes=(DELETE,)), PLAIN, "deleted", id="deletes"),
        pytest.param(GROUP, replace(PLAIN, format_version=3), "ids", id="lineage"),
        pytest.param(GROUP, replace(PLAIN, is_sorted=True), "sort order", id="sort-order"),
        pytest.param(
            replace(GROUP, inputs=(INPUTS[0], replace(INPUTS[1], size=MIB))),
            PLAIN,
            "small row groups",
            id="small-files",
        ),
    ],
)
def test_the_plan_alone_rules_out_what_no_footer_could_allow(
    group: Group, wants: TableWants, why: str
):
    found = refused_by_plan(group, wants)
    assert why in found
    assert bool(found) == bool(why)


@pytest.mark.parametrize(
    ("second", "why"),
    [
        pytest.param({}, "", id="mean-of-16-mib-is-enough"),
        pytest.param({"is_whole": False}, "encrypted", id="encrypted"),
        pytest.param({"is_current": False}, "other columns", id="evolved"),
        pytest.param({"alike": b"other"}, "different ways", id="written-otherwise"),
        pytest.param({"codecs": frozenset({"ZSTD", "SNAPPY"})}, "SNAPPY, not ZSTD", id="codec"),
        pytest.param({"row_group_bytes": (MIB,)}, "on average are small", id="small-row-groups"),
    ],
)
def test_every_footer_must_allow_it(second: dict[str, object], why: str):
    found = refused_by_footers([FOOTER, replace(FOOTER, **second)], PLAIN)
    assert why in found
    assert bool(found) == bool(why)


def test_files_without_row_groups_are_not_taken_over():
    assert refused_by_footers([replace(FOOTER, row_group_bytes=())], PLAIN)
