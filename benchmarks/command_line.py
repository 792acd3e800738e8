"""Case ``cli``: what `dp` costs above the imports that it cannot do without."""

from pathlib import Path

from benchmarks.measure import Side, middle, shuffled_rounds
from benchmarks.options import Options
from benchmarks.prepared import lakehouse
from benchmarks.report import Findings, Goal

DP = ("-m", "dp_assets.cli.main")
TYPER, HELP = "import typer", "dp --help"
CATALOG, TABLES = "import pyiceberg sql", "dp tables"
TABLE_COUNT = 12


def measured(options: Options) -> Findings:
    """``dp --help`` and ``dp tables``, each against one import."""

    def listed_lakehouse(state: Path) -> None:
        lakehouse(state, tables=TABLE_COUNT)

    sides = [
        Side(TYPER, ("-c", "import typer")),
        Side(HELP, (*DP, "--help")),
        Side(CATALOG, ("-c", "import pyiceberg.catalog.sql")),
        Side(TABLES, (*DP, "tables"), prepare=listed_lakehouse),
    ]
    rounds = shuffled_rounds(
        sides,
        rounds=options.rounds,
        warmups=options.warmups,
        work=options.work,
        order=options.order,
    )
    typer, asked, catalog, listed = (middle(rounds[side.name]) for side in sides)
    goals = [
        Goal("dp --help / import typer", asked / typer, 1.3, "x"),
        Goal("dp tables / import pyiceberg.catalog.sql", listed / catalog, 1.3, "x"),
    ]
    return Findings("cli", {"lakehouse": f"{TABLE_COUNT} tables"}, rounds, goals)
