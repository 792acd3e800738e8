"""Case ``many_tables``: a recovery point of 10,000 tables of one file each, nothing changed."""

import shutil

from benchmarks import lakes
from benchmarks.backup import net
from benchmarks.lakes import Shape, start_of, starting
from benchmarks.measure import Side, middle, shuffled_rounds
from benchmarks.options import Options
from benchmarks.report import Findings, Goal

LINEAR = 1.5  # milliseconds per table at all tables against those at a tenth of them


def measured(options: Options) -> Findings:
    """All of them and a tenth of them: the time per table must not grow with their number."""
    few, many = max(1, options.many // 10), options.many
    work = options.work
    sides: list[Side] = []
    try:
        for count in (few, many):
            kept = work / f"kept-{count}"
            shutil.rmtree(kept, ignore_errors=True)
            lake = lakes.lake(Shape(files=1, size_bytes=1, tables=count), work)
            lake.dp(kept, "repo", "init")
            lake.dp(kept, "backup")
            variables = {**lake.variables, "DP_STATE": str(kept)}
            words = ("-m", lakes.DP, "backup", "--json")
            side = Side(f"{count} tables", words, environment=variables)
            sides += [side, starting(side, work, state=kept)]
        rounds = shuffled_rounds(
            sides, rounds=options.rounds, warmups=options.warmups, work=work, order=options.order
        )
    finally:
        for count in (few, many):
            shutil.rmtree(work / f"kept-{count}", ignore_errors=True)
    each = {count: net(rounds, f"{count} tables") / count * 1000 for count in (few, many)}
    peak = max(sample.peak_mib for sample in rounds[f"{many} tables"])
    return Findings(
        "many_tables",
        {"tables": f"{few} and {many}, of one file each"},
        rounds,
        [
            Goal(f"per table, {many} tables / {few} tables", each[many] / each[few], LINEAR, "x"),
            Goal(f"peak memory, {many} tables", peak, 200, " MiB"),
        ],
        tuple(
            f"{count} tables: {net(rounds, f'{count} tables'):.2f} s above start and imports "
            f"({middle(rounds[start_of(f'{count} tables')]):.2f} s), {each[count]:.2f} ms per table"
            for count in (few, many)
        ),
    )
