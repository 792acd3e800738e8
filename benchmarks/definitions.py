"""Case ``definitions``: loading the code location, without and with discovered tables."""

from pathlib import Path

from benchmarks.measure import Side, middle, shuffled_rounds
from benchmarks.options import Options
from benchmarks.report import Findings, Goal

DAGSTER, LOCATION = "import dagster", "location"
LOAD = """
import warnings
warnings.simplefilter("ignore")
from dp_assets.definitions import defs
loaded = defs().get_repository_def()
import json
print(json.dumps({"assets": len(loaded.asset_graph.get_all_asset_keys())}))
"""
COLUMNS = 20


def measured(options: Options) -> Findings:
    """The location against ``import dagster``, and what the inventory's tables add to it."""

    def tables_found(state: Path) -> None:
        _save_inventory(state, options.tables)

    full = f"location, {options.tables} tables"
    sides = [
        Side(DAGSTER, ("-c", "import dagster")),
        Side(LOCATION, ("-c", LOAD)),
        Side(full, ("-c", LOAD), prepare=tables_found),
    ]
    rounds = shuffled_rounds(
        sides,
        rounds=options.rounds,
        warmups=options.warmups,
        work=options.work,
        order=options.order,
    )
    alone, bare, more = (middle(rounds[name]) for name in (DAGSTER, LOCATION, full))
    goals = [
        Goal("location / import dagster", bare / alone, 1.5, "x"),
        Goal(f"{options.tables} discovered tables, above that", more - bare, 0.5, " s"),
    ]
    sizes = {
        "assets": f"{middle(rounds[LOCATION], 'assets'):.0f}, and with the discovered tables "
        f"{middle(rounds[full], 'assets'):.0f} of {COLUMNS} columns each"
    }
    return Findings("definitions", sizes, rounds, goals)


def _save_inventory(state: Path, count: int) -> None:
    from dp_assets.adapters.inventory_state import write_inventory
    from dp_assets.core.ids import TableId
    from dp_assets.ports.inventory import Column, Inventory, TableFacts

    columns = tuple(Column(f"column_{n}", "string", doc="What it means.") for n in range(COLUMNS))
    names = [TableId("sales", f"table_{n:05}") for n in range(count)]
    facts = {
        name: TableFacts(
            table=name,
            uuid=str(number),
            metadata_location=f"file:///warehouse/{name}/metadata/1.metadata.json",
            format_version=2,
            location=f"file:///warehouse/{name}",
            # Every other table has columns of its own, so that sharing them is not all there is.
            columns=columns if number % 2 else (*columns[1:], Column(f"own_{number}", "long")),
            owner="team:lakehouse",
            adopted=True,
            rows=1000,
        )
        for number, name in enumerate(names)
    }
    write_inventory(state / "inventory.json", Inventory(tables=facts))
