"""A table of very many manifests: fewer afterwards, by partition, and nothing else is changed."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest
from pyiceberg.manifest import ManifestEntry, ManifestFile

from dp_assets.domains.maintenance.manifest_piles import ManifestRule
from dp_assets.domains.maintenance.manifest_plan import TARGET
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.adapters.table_checks import manifests
from dp_assets_tests.usecases.backup.readings import fingerprint
from dp_assets_tests.usecases.maintenance.manifest_rewrites import (
    MANY,
    PARTS,
    check_lines,
    listed,
    make_many,
    planned,
    rewrite,
)
from dp_assets_tests.usecases.maintenance.things import DECLARED, Things

# Manifests as small as these are mostly header: a hundredth of that would be the target.
RULE = ManifestRule(most=10_000)
# Below what 400 entries take, so that there are several.
SMALL_TARGET = 8_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Generator[Things, None, None]:
    with Lake(tmp_path_factory.mktemp("many")) as lake:
        yield make_many(lake, **{TARGET: str(SMALL_TARGET)})


def opened(things: Things, part: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Manifests that PyIceberg opens for a query of one partition."""
    seen: list[str] = []
    real = ManifestFile.fetch_manifest_entry

    def noted(self: ManifestFile, *given: Any, **more: Any) -> list[ManifestEntry]:
        seen.append(self.manifest_path)
        return real(self, *given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(ManifestFile, "fetch_manifest_entry", noted)
        found = list(things.table.scan(f"part = '{part}'").plan_files())
    assert len(found) == 1 + MANY // len(PARTS)
    return len(seen)


def test_many_become_few_by_partition(many: Things, monkeypatch: pytest.MonkeyPatch):
    before, said = fingerprint(many.table.scan().to_arrow()), listed(many.pointer)
    raw, counted = many.raw, len(manifests(many.table))
    assert counted > MANY
    assert opened(many, PARTS[0], monkeypatch) == 1 + MANY // len(PARTS)
    plan = planned(many.lake.catalog, rule=RULE)
    done = rewrite(many.lake, rule=RULE)
    lines = manifests(many.table)
    assert 3 <= done.created <= plan.expected < MANY
    assert len(lines) == done.created + 1  # one was big enough
    assert listed(many.pointer) == said
    assert max(opened(many, part, monkeypatch) for part in PARTS) <= 4
    assert fingerprint(many.table.scan().to_arrow()) == before
    assert len(many.lake.rows_by_duckdb(DECLARED)) == MANY + len(PARTS)
    assert check_lines(many.table, done.snapshot_id) == done.created
    many.check_totals()
    head = many.raw["snapshots"][-1]
    assert head["parent-snapshot-id"] == raw["current-snapshot-id"]
    assert {
        name: head["summary"][name]
        for name in ("operation", "dp.operation", "dp.run-id", "manifests-replaced")
    } == {
        "operation": "replace",
        "dp.operation": "manifests",
        "dp.run-id": "run-1",
        "manifests-replaced": str(counted - 1),
    }
    assert head["summary"]["manifests-created"] == str(done.created)
    assert head["summary"]["manifests-kept"] == "1"
    pointer = many.pointer
    assert planned(many.lake.catalog, rule=RULE).is_empty
    again = rewrite(many.lake, rule=replace(RULE, min_fall=1))
    assert (again.snapshot_id, many.pointer) == (None, pointer)
