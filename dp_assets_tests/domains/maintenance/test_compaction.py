"""Which files are rewritten, in which groups and order, and what is left with which reason."""

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from dp_assets.domains.maintenance.compaction import CompactionRule, plan_compaction
from dp_assets.ports.closure import LiveEntry, TableClosure
from dp_assets.ports.compaction import CompactionPlan, CompactionRefusedError
from dp_assets.ports.recovery import FileKind
from dp_assets_tests.domains.maintenance.closures import (
    HEAD,
    SEQUENCE,
    closure_of,
    data,
    deletes,
    entry,
)

RULE = CompactionRule(target=lambda _: 1000)
FEBRUARY = '{"month":"2013-02"}'


def plan(
    closure: TableClosure, rule: CompactionRule = RULE, free_bytes: int | None = None
) -> CompactionPlan:
    return plan_compaction("n.t", closure, rule=rule, free_bytes=free_bytes)


def small(count: int, size: int = 100, **known: object) -> list[LiveEntry]:
    start = known.pop("start", "f")
    return [data(f"/{start}{n}", size, **known) for n in range(count)]


def paths(found: CompactionPlan) -> list[list[str]]:
    return [[file.path for file in group.inputs] for group in found.groups]


def test_a_plan_says_what_it_was_made_from_and_carries_entries_as_they_are():
    first = data("/a", 10, sequence=4, first_row_id=100)
    found = plan(closure_of(first, *small(4, partition=first.partition)))
    assert (found.table, found.uuid, found.pointer) == ("n.t", "uuid", "/pointer")
    assert (found.snapshot_id, found.sequence_number) == (HEAD, SEQUENCE)
    assert (found.format_version, found.schema_id) == (2, 3)
    (group,) = found.groups
    assert (group.spec_id, group.partition, group.words) == (0, first.partition, "month=2013-01")
    assert group.inputs[-1].path == "/a"  # younger than the others
    assert (group.inputs[-1].sequence_number, group.inputs[-1].file_sequence_number) == (4, 4)
    assert (group.inputs[-1].first_row_id, group.inputs[-1].manifest_path) == (100, "/m0")
    assert (group.inputs[-1].size, group.inputs[-1].records) == (10, 10)


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        pytest.param([100] * 5, 5, id="five-small-ones"),
        pytest.param([100] * 4, 0, id="four-are-not-worth-a-commit"),
        pytest.param([749] * 5, 5, id="just-below-three-quarters"),
        pytest.param([750] * 5, 0, id="three-quarters-are-enough"),
        pytest.param([100] * 4 + [750, 1000, 1800], 0, id="good-ones-do-not-count"),
        pytest.param([1800], 0, id="almost-twice-is-left"),
        pytest.param([1801], 1, id="more-is-split"),
        pytest.param([], 0, id="none"),
    ],
)
def test_files_are_chosen_by_their_size(sizes, chosen):
    found = plan(closure_of(*(data(f"/{n}", size) for n, size in enumerate(sizes))))
    assert sum(len(group.inputs) for group in found.groups) == chosen


def test_the_target_follows_the_bytes_of_the_partition():
    asked: list[int] = []
    rule = replace(RULE, target=lambda size: asked.append(size) or 1000)
    plan(closure_of(*small(3), *small(2, partition=FEBRUARY, start="g")), rule)
    assert asked == [300, 200]


def test_partitions_are_never_mixed():
    found = plan(closure_of(*small(4), *small(4, partition=FEBRUARY, start="g")))
    assert found.groups == ()
    found = plan(closure_of(*small(5), *small(6, partition=FEBRUARY, start="g")))
    assert [group.words for group in found.groups] == ["month=2013-02", "month=2013-01"]


def test_groups_are_bounded_in_bytes_and_the_rest_waits():
    found = plan(closure_of(*small(11)), replace(RULE, group_bytes=500))
    assert [len(group.inputs) for group in found.groups] == [5, 5]
    assert paths(found) == sorted(paths(found))


def test_groups_are_bounded_in_files_and_the_rest_waits():
    found = plan(closure_of(*small(11)), replace(RULE, group_files=5))
    assert [len(group.inputs) for group in found.groups] == [5, 5]
    assert paths(found) == sorted(paths(found))


def test_the_worst_is_first_whatever_the_order_of_the_manifest():
    files = [*small(5), *small(9, partition=FEBRUARY, start="g")]
    one, other = plan(closure_of(*files)), plan(closure_of(*reversed(files)))
    assert one == other
    assert [len(group.inputs) for group in one.groups] == [9, 5]


@pytest.mark.parametrize(
    ("delete", "chosen"),
    [
        pytest.param(deletes("/d", 3, referenced="/a"), True, id="of-this-file"),
        pytest.param(deletes("/d", 3, lower=b"/a", upper=b"/a"), True, id="of-this-file-by-bounds"),
        pytest.param(deletes("/d", 2, referenced="/a"), False, id="too-few"),
        pytest.param(deletes("/d", 3, referenced="/b"), False, id="of-another"),
        pytest.param(deletes("/d", 3), False, id="of-both-so-a-half-each"),
        pytest.param(deletes("/d", 6), True, id="enough-of-both"),
        pytest.param(deletes("/d", 9, sequence=2), False, id="older-than-the-data"),
        pytest.param(deletes("/d", 9, partition=FEBRUARY), False, id="of-another-partition"),
    ],
)
def test_three_tenths_of_deleted_rows_are_reason_enough(delete, chosen):
    good = [data("/a", 1000), data("/b", 1000, format="ORC")]
    found = plan(closure_of(*good, delete))
    assert paths(found) == ([["/a"]] if chosen else [])


@pytest.mark.parametrize(
    ("keys", "known", "chosen"),
    [
        pytest.param(6, {}, True, id="as-many-as-three-tenths-of-the-rows"),
        pytest.param(5, {}, False, id="fewer"),
        pytest.param(9, {"partition": '{"month":null}'}, False, id="of-another-partition"),
        pytest.param(9, {"sequence": 3}, False, id="older-than-the-data"),
    ],
)
def test_keys_of_equality_deletes_count_as_rows_that_they_may_delete(keys, known, chosen):
    """Of 20 rows; those of other partitions are none of them."""
    good = [data("/a", 1000), data("/b", 1000), data("/c", 1000, partition=FEBRUARY)]
    said = {"sequence": 5, "records": keys, "equality_ids": (1,), **known}
    found = plan(closure_of(*good, entry("/e", FileKind.EQUALITY_DELETES, **said)))
    assert paths(found) == ([["/a", "/b"]] if chosen else [])
    for group in found.groups:
        assert group.reason == "equality deletes of 6 keys apply to 20 rows"
        assert (group.deleted, group.expected_bytes) == (0, 2000)


def test_keys_without_a_partition_are_spread_over_all():
    good = [data("/a", 1000), data("/b", 1000, partition=FEBRUARY)]
    said = {"sequence": 5, "equality_ids": (1,), "partition": ""}
    for keys, groups in ((5, 0), (6, 2)):
        everywhere = entry("/e", FileKind.EQUALITY_DELETES, records=keys, **said)
        found = plan(closure_of(*good, by_spec={1: (everywhere,)}))
        assert len(found.groups) == groups


def test_a_group_names_every_delete_that_may_apply_once():
    shared, other = deletes("/d1"), deletes("/d2", partition=FEBRUARY)
    own = deletes("/d0", referenced="/f1", sequence=7)
    (group,) = plan(closure_of(*small(5), shared, other, own)).groups
    assert [(d.path, d.sequence_number, d.referenced) for d in group.deletes] == [
        ("/d0", 7, "/f1"),
        ("/d1", 5, ""),
    ]
    assert group.deletes[0].kind is FileKind.POSITION_DELETES
    assert group.deletes[0].manifest_path == "/m0"


def test_what_cannot_be_rewritten_is_left_and_said_and_the_rest_goes_on():
    orc = [data("/o1", 10, format="ORC"), data("/o2", 10, format="ORC")]
    avro = deletes("/d", referenced="/f0", format="AVRO")
    found = plan(closure_of(*small(6), *orc, avro))
    assert paths(found) == [["/f1", "/f2", "/f3", "/f4", "/f5"]]
    assert found.left == ("2 files: data in ORC", "1 file: position deletes in AVRO apply")


def test_files_of_older_specs_stay_unless_the_rule_says_so():
    older = tuple(small(5, partition="", start="old"))
    closure = closure_of(*small(5), by_spec={1: older})
    found = plan(closure)
    assert {group.spec_id for group in found.groups} == {0}
    assert found.left == ("5 files, 500 B: of older partition spec 1",)
    found = plan(closure, replace(RULE, older_specs=True))
    assert sorted((g.spec_id, len(g.inputs)) for g in found.groups) == [(0, 5), (1, 5)]
    assert found.left == ()


def test_groups_need_room_one_after_the_other():
    closure = closure_of(*small(5), *small(6, partition=FEBRUARY, start="g"))
    assert len(plan(closure, free_bytes=1210).groups) == 2
    found = plan(closure, free_bytes=1209)
    assert [group.words for group in found.groups] == ["month=2013-02"]
    assert found.left == ("month=2013-01: needs 550 B, 549 B free",)


@pytest.mark.parametrize(
    ("sizes", "outputs"), [([100] * 5, 1), ([700] * 5, 3), ([1850], 2), ([300] * 6, 2)]
)
def test_new_files_are_no_candidates_again(sizes, outputs):
    (group,) = plan(closure_of(*(data(f"/{n}", size) for n, size in enumerate(sizes)))).groups
    assert group.outputs == outputs
    assert group.bytes / group.outputs <= RULE.large * group.target_bytes


def test_deleted_rows_are_not_expected_in_the_new_files():
    (group,) = plan(closure_of(data("/a", 1000), deletes("/d", 4, referenced="/a"))).groups
    assert (group.deleted, group.expected_bytes) == (4, 600)


def test_a_table_that_is_refused_has_no_plan():
    with pytest.raises(CompactionRefusedError, match="format version 4 is not compacted yet"):
        plan(closure_of(*small(5), format_version=4))


def test_planning_takes_no_look_at_every_pair_of_file_and_equality_delete():
    """As a table has them that is streamed to: with every commit a file and a delete of keys."""

    def calls_for(commits: int, partition: str) -> int:
        files = [data(f"/f{n}", 100, sequence=2 * n) for n in range(commits)]
        known = {"equality_ids": (1,), "partition": partition}
        equality = tuple(
            entry(f"/e{n}", FileKind.EQUALITY_DELETES, sequence=2 * n + 1, **known)
            for n in range(commits)
        )
        closure = (
            closure_of(*files, *equality)
            if partition
            else closure_of(*files, by_spec={1: equality})
        )
        found, count = counted_calls(lambda: plan(closure))
        [group] = found.groups
        assert (len(group.inputs), len(group.deletes)) == (commits, commits)
        return count

    for partition in ("", '{"month":"2013-01"}'):
        assert calls_for(400, partition) < 2.5 * calls_for(200, partition)


def counted_calls(act: Callable[[], CompactionPlan]) -> tuple[CompactionPlan, int]:
    """What it gives, and how many functions were called, of Python's and of C's."""
    count = 0

    def called(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(called)
    try:
        found = act()
    finally:
        sys.setprofile(None)
    return found, count
