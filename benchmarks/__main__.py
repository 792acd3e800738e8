"""``python -m benchmarks [case ...]``: measure the claims; all of them without a name."""

import argparse
import random
import sys
from collections.abc import Callable, Mapping

from benchmarks import (
    backup,
    command_line,
    commit_cost,
    compaction,
    definitions,
    dump,
    idle_ui,
    many_tables,
    orchestration,
    pipeline,
    planning,
    recovery_time,
)
from benchmarks.measure import BenchmarkError, forget_states
from benchmarks.options import Options
from benchmarks.report import Findings, machine, publish
from dp_assets.settings import load_settings

CASES: Mapping[str, Callable[[Options], Findings]] = {
    "definitions": definitions.measured,
    "cli": command_line.measured,
    "orchestration": orchestration.measured,
    "ui": idle_ui.measured,
    "pipeline": pipeline.measured,
    "backup": backup.measured,
    "dump": dump.measured,
    "many_tables": many_tables.measured,
    "recovery_time": recovery_time.measured,
    "compaction": compaction.measured,
    "commit_cost": commit_cost.measured,
    "planning": planning.measured,
}


def main() -> int:
    """Run the chosen cases; 0 when every goal is met, 1 when one is missed, 3 when one broke."""
    asked = _arguments().parse_args()
    folder = load_settings().state_dir / "benchmarks"
    options = Options(
        days=asked.days,
        rounds=asked.rounds,
        warmups=1,
        year=asked.year,
        idle_seconds=asked.idle_seconds,
        tables=asked.tables,
        gb=asked.gb,
        files=asked.files or backup.FILES,
        recovered_files=asked.files or recovery_time.FILES,
        catalog_tables=asked.catalog_tables,
        many=asked.many,
        lineitem_files=asked.lineitem_files,
        sf10=asked.sf10,
        commits=asked.commits,
        work=folder / "work",
        order=random.Random(asked.seed),  # noqa: S311 - an order of rounds, no secret
    )
    missed, broken = 0, 0
    for name in asked.case or CASES:
        where = machine()
        try:
            findings = CASES[name](options)
        except BenchmarkError as error:
            print(f"\n== {name} ==\nNOT MEASURED: {error}")
            broken += 1
            continue
        finally:
            forget_states(options.work)
        publish(findings, where=where, folder=folder)
        missed += sum(not goal.met for goal in findings.goals)
    print(f"\n{missed} goals missed, {broken} cases not measured")
    return 3 if broken else int(missed > 0)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("case", nargs="*", choices=[[], *CASES], help="default: all of them")
    parser.add_argument("--days", type=int, default=90, help="days of the pipeline case")
    parser.add_argument("--year", action="store_true", help="also 365 days, once: 10 minutes more")
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds of each side")
    parser.add_argument("--idle-seconds", type=int, default=60, help="how long the UI is watched")
    parser.add_argument("--tables", type=int, default=2000, help="discovered tables")
    parser.add_argument("--gb", type=float, default=1, help="size of what is backed up")
    parser.add_argument("--files", type=int, nargs="+", help="in how many files; several, in turn")
    parser.add_argument("--catalog-tables", type=int, default=dump.TABLES, help="of the dump case")
    parser.add_argument("--many", type=int, default=10_000, help="tables of one file each")
    parser.add_argument("--lineitem-files", type=int, default=100, help="400: TPC-H's SF1")
    parser.add_argument("--sf10", action="store_true", help="compact 4,000 too: 5 minutes more")
    parser.add_argument("--commits", type=int, default=1000, help="in a long history")
    parser.add_argument("--seed", type=int, default=1, help="of the order within the rounds")
    return parser


if __name__ == "__main__":
    sys.exit(main())
