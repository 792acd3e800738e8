"""Case ``commit_cost``: P6, what a commit costs as the history grows."""

from benchmarks import lakes
from benchmarks.lakes import Lake
from benchmarks.made_histories import MANAGED, SHORT, SHORT_COMMITS, UNMANAGED
from benchmarks.measure import Rounds, Side, middle, shuffled_rounds
from benchmarks.options import Options
from benchmarks.report import Findings, Goal

MODULE = "benchmarks.metadata_side"
FILES = 10_000  # of the tables that are planned
OURS, PLAIN = "append", "plain_append"
SIDES = (
    *((OURS, table) for table in (SHORT, MANAGED, UNMANAGED)),
    *((PLAIN, table) for table in (SHORT, UNMANAGED)),
)
NOTES = (
    "five appends of one row in one process, by the same writer or table handle. The first reads",
    "  the table; the goals are of the median of the others.",
    "ours makes every file durable before the pointer moves and holds the table's lease; PyIceberg",
    "  does neither, so on a short history it is faster.",
    "managed: as maintenance leaves a history of so many commits: 100 manifests, 50 snapshots.",
)


def histories(options: Options, files: int = FILES) -> Lake:
    """The tables of nothing but metadata; kept for the next time."""
    name = f"histories-{options.commits}-{files}"
    words = (str(options.commits), str(files))
    return lakes.kept_lake(name, options.work, "benchmarks.made_histories", *words)


def side(lake: Lake, verb: str, table: str) -> Side:
    """One thing done to one table as it was made."""
    words = ("-m", MODULE, verb, table)
    return Side(
        f"{verb}, {table}", words, lambda _: lakes.put_back(lake), environment=lake.variables
    )


def measured(options: Options) -> Findings:
    """Ours and PyIceberg's, on a short history, a long one and a long one that is maintained."""
    lake = histories(options)
    try:
        rounds = shuffled_rounds(
            [side(lake, *one) for one in SIDES],
            rounds=options.rounds,
            warmups=options.warmups,
            work=options.work,
            order=options.order,
        )
    finally:
        lakes.forget_new_files(lake)
    long = f"{options.commits} commits"
    grown = _ms(rounds, OURS, MANAGED) / _ms(rounds, OURS, SHORT)
    plain = _ms(rounds, OURS, UNMANAGED) / _ms(rounds, PLAIN, UNMANAGED)
    return Findings(
        "commit_cost",
        {"histories": f"{SHORT_COMMITS} and {long}, 3 columns"},
        rounds,
        [
            Goal(f"P6 append, managed, {long} / {SHORT_COMMITS}", grown, 2, "x"),
            Goal(f"P6 append, unmanaged, {long}: ours / PyIceberg", plain, 0.3, "x"),
        ],
        (*NOTES, *_table(rounds)),
    )


def _ms(rounds: Rounds, verb: str, table: str, what: str = "work") -> float:
    return middle(rounds[f"{verb}, {table}"], what) * 1000


def _table(rounds: Rounds) -> list[str]:
    return [
        f"  {verb + ', ' + table:<26}{_ms(rounds, verb, table):.0f} ms, "
        f"the first {_ms(rounds, verb, table, 'first'):.0f} ms"
        for verb, table in SIDES
    ]
