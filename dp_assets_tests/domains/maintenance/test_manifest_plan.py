"""Which manifests are written anew, and that nothing is left to do afterwards."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from dp_assets.core.units import MIB
from dp_assets.domains.maintenance.manifest_piles import ManifestRule, partition_order
from dp_assets.domains.maintenance.manifest_plan import TARGET, ManifestPlan, plan_manifests
from dp_assets.ports.closure import KeptSnapshot, Manifest, ManifestUse, TableClosure
from dp_assets.ports.maintenance import MaintenanceRefusedError
from dp_assets_tests.domains.maintenance.closures import HEAD, SEQUENCE, closure_of, data, deletes

SEED = 20260101
RULE = ManifestRule()


class Made(NamedTuple):
    """A manifest with a file in each of ``months``; of deletes, of a spec, of a shape."""

    months: Sequence[Any]
    bytes: int = 5_000
    is_deletes: bool = False
    spec_id: int = 0
    shape: str = ""


def table(manifests: Iterable[Made], **metadata: Any) -> TableClosure:
    plain = closure_of(**metadata)
    made = {f"/m{n}": _manifest(f"/m{n}", one) for n, one in enumerate(manifests)}
    uses = tuple(
        ManifestUse(f"/m{n}", one.bytes, one.spec_id, SEQUENCE, HEAD)
        for n, one in enumerate(manifests)
    )
    head = KeptSnapshot(HEAD, None, SEQUENCE, 0, 3, "/list", uses)
    return replace(plain, snapshots=(head,), manifests=made)


def _manifest(path: str, made: Made) -> Manifest:
    texts = [json.dumps({"month": month}) for month in made.months]
    files = [
        deletes(f"{path}/{n}", partition=text)
        if made.is_deletes
        else data(f"{path}/{n}", 1, partition=text)
        for n, text in enumerate(texts)
    ]
    return Manifest(path, made.spec_id, tuple(files), made.shape)


def plan(*manifests: Made, **metadata: Any) -> ManifestPlan:
    return plan_manifests("raw.things", table(manifests, **metadata), RULE)


def chosen(found: ManifestPlan) -> list[int]:
    return [len(pile.manifests) for pile in found.piles]


def test_small_ones_are_merged():
    found = plan(*[Made([n]) for n in range(400)])
    (pile,) = found.piles
    assert (len(pile.manifests), pile.outputs, pile.entries) == (400, 1, 400)
    assert (found.manifests, found.expected, found.bytes) == (400, 1, 400 * 5_000)
    assert found.limit_bytes == 8 * MIB
    assert "400 of 400 are below 6" in pile.reason


@pytest.mark.parametrize(
    ("manifests", "is_empty"),
    [
        pytest.param([Made([1])] * 4, True, id="three-fewer-are-not-worth-a-commit"),
        pytest.param([Made([1])] * 5, False, id="four-fewer-are"),
        pytest.param([Made([1], 6 * MIB)] * 9, True, id="three-quarters-full-is-full"),
        pytest.param([Made([1], 5 * MIB)] * 9, True, id="nine-of-five-MiB-become-six"),
        pytest.param([Made([1], 5 * MIB)] * 12, False, id="twelve-of-five-MiB-become-eight"),
        pytest.param([Made([])] * 3, True, id="three-empty-ones-stay"),
        pytest.param([Made([])] * 4, False, id="four-empty-ones-go"),
        pytest.param([], True, id="none"),
    ],
)
def test_what_is_worth_it(manifests: list[Made], is_empty: bool):
    assert plan(*manifests).is_empty == is_empty


def test_full_ones_and_empty_ones():
    """What is full stays; what is empty goes with any commit."""
    found = plan(Made([1], 9 * MIB), Made([]), *[Made([1])] * 5)
    assert found.empty == ("/m1",)
    assert chosen(found) == [5]
    assert found.expected == 2


def test_specs_deletes_and_shapes_do_not_mix():
    found = plan(
        *[Made([1])] * 5,
        *[Made([1], is_deletes=True)] * 6,
        *[Made([1], spec_id=1)] * 7,
        *[Made([1], shape="a future field")] * 8,
        *[Made([1], spec_id=1, is_deletes=True)] * 3,
    )
    piles = {(p.spec_id, p.is_deletes, len(p.manifests)) for p in found.piles}
    assert piles == {(0, False, 5), (0, True, 6), (1, False, 7), (0, False, 8)}


def test_the_target_is_the_table_s():
    found = plan(*[Made([1], 3_000)] * 9, properties={TARGET: "9000"})
    assert (found.limit_bytes, found.piles[0].outputs) == (9_000, 3)


def test_about_a_hundred_stay():
    found = plan(*[Made([n], 8 * MIB) for n in range(400)])
    assert found.limit_bytes == 32 * MIB
    assert (chosen(found), found.expected) == ([400], 100)


def test_scattered_ones_are_put_in_order():
    """All are full, and a query of one month opens all ten."""
    months = list(range(100))
    found = plan(*[Made(months, 9 * MIB)] * 10)
    assert chosen(found) == [10]
    assert "in 10.0 manifests" in found.piles[0].reason
    clustered = [Made(months[n : n + 10], 9 * MIB) for n in range(0, 100, 10)]
    assert plan(*clustered).is_empty
    assert plan(*[Made([1], 9 * MIB)] * 10).is_empty  # one partition: nothing would be better


def test_a_merge_that_would_scatter_takes_all():
    """Else the next run would find it scattered."""
    clustered = [Made(list(range(n, n + 10)), 9 * MIB) for n in range(0, 100, 10)]
    small = [Made([n], 1_000) for n in range(0, 100, 10)]
    assert chosen(plan(*clustered, *small)) == [20]
    assert chosen(plan(*clustered, *(Made([0], 1_000) for _ in range(10)))) == [10]


def rewritten(closure: TableClosure, found: ManifestPlan) -> list[Made]:
    """The manifests after the plan, as the rewrite makes them: by partition, full at the limit."""
    gone = {path for pile in found.piles for path in pile.manifests} | set(found.empty)
    uses = {use.path: use for use in closure.snapshots[0].manifests}
    stay = [_made(closure, use) for path, use in uses.items() if path not in gone]
    for pile in found.piles:
        each = pile.bytes / pile.entries
        months = [m for path in pile.manifests for m in _made(closure, uses[path]).months]
        months.sort(key=lambda month: partition_order(json.dumps({"month": month})))
        most = -(-found.limit_bytes // each) if each else 1
        cut = [months[n : n + int(most)] for n in range(0, len(months), int(most))]
        stay += [Made(part, round(each * len(part)), pile.is_deletes, pile.spec_id) for part in cut]
    return stay


def _made(closure: TableClosure, use: ManifestUse) -> Made:
    entries = closure.manifests[use.path].entries
    months = [json.loads(entry.partition)["month"] for entry in entries]
    is_deletes = any(entry.path and entry.kind != "data" for entry in entries)
    return Made(months, use.size or 0, is_deletes, use.spec_id or 0)


@pytest.mark.parametrize("seed", range(SEED, SEED + 60))
def test_the_second_run_finds_nothing(seed: int):
    chance = random.Random(seed)  # noqa: S311
    size = chance.choice([2_000, 200_000, 5 * MIB, 12 * MIB])
    few = chance.choice([1, 3, 40])
    made = [
        Made(
            [chance.choice([None, *range(few)]) for _ in range(chance.randint(0, 9))],
            chance.randint(size // 4, size),
            is_deletes=chance.random() < 0.2,
            spec_id=chance.randint(0, 1),
        )
        for _ in range(chance.choice([3, 30, 250]))
    ]
    closure = table(made)
    found = plan_manifests("raw.things", closure, RULE)
    after = table(rewritten(closure, found))
    again = plan_manifests("raw.things", after, RULE)
    assert again.is_empty
    assert len(after.snapshots[0].manifests) <= max(140, len(made) * found.is_empty)
    files = sum(len(one.months) for one in made)
    assert sum(len(m.entries) for m in after.manifests.values()) == files


def test_partitions_are_in_the_order_of_their_values():
    values = [None, -5, 0, 2, 10, "", "a", "b"]
    shuffled = sorted(values, key=str)
    assert sorted(shuffled, key=lambda v: partition_order(json.dumps({"x": v}))) == values
    assert partition_order("") == ()
    assert partition_order('{"a":1,"b":"x"}') < partition_order('{"a":1,"b":"y"}')


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"format_version": 4}, "format version 4"),
        ({"encryption_keys": [{}]}, "encrypted"),
        ({"properties": {"encryption.key-id": "k"}}, "encrypted"),
        ({"properties": {TARGET: "8 MB"}}, "'8 MB'"),
    ],
)
def test_what_is_refused(metadata: dict[str, Any], why: str):
    with pytest.raises(MaintenanceRefusedError, match=why):
        plan(Made([1]), **metadata)


def test_a_snapshot_without_a_list_is_refused():
    with pytest.raises(MaintenanceRefusedError, match="without a manifest list"):
        plan_manifests("raw.things", closure_of(manifest_list=""), RULE)
