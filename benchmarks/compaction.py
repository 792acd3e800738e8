"""Case ``compaction``: P1 to P5, our compaction against DuckDB, PyArrow and PyIceberg alone."""

from collections.abc import Mapping, Sequence

from benchmarks import lakes
from benchmarks.lakes import Lake
from benchmarks.made_lineitem import (
    ROWS_PER_FILE,
    ROWS_PER_LARGE_FILE,
    large_files,
    table_shapes,
)
from benchmarks.measure import Rounds, Sample, Side, measure, middle, shuffled_rounds
from benchmarks.options import Options
from benchmarks.report import Findings, Goal

MODULE, LEAN = "benchmarks.compaction_side", "benchmarks.lean_side"
PEAK_MIB, PEAK_SHARE = 400, 0.35
SF10_FILES = 4_000
RAW, MAINTAINED, LARGE = "raw", "maintained", "large"
SIDES = (
    ("copy", RAW),
    ("writer", RAW),
    ("overwrite", RAW),
    ("rewrite", RAW),
    *((verb, table) for table in (MAINTAINED, RAW) for verb in ("unproven", "proven")),
    ("rewrite", LARGE),
    ("row_groups", LARGE),
)
PEERS = ("copy", "writer", "overwrite")
NAMES: Mapping[str, str] = {
    "copy": "bare DuckDB COPY",
    "writer": "PyArrow, one writer",
    "overwrite": "PyIceberg overwrite",
    "rewrite": "our rewrite",
    "row_groups": "our row-group copy",
    "unproven": "ours, not proven",
    "proven": "ours",
}
# (goal, verb and table of ours, those of the peer, the least rate of ours over the peer's)
RATES = (
    ("P1 rewrite", ("rewrite", RAW), ("copy", RAW), 0.95),
    ("P1 rewrite", ("rewrite", RAW), ("writer", RAW), 1.6),
    ("P2 whole, not proven", ("unproven", MAINTAINED), ("copy", RAW), 0.8),
    ("P2 whole", ("proven", MAINTAINED), ("copy", RAW), 0.55),
    ("P2 whole, not proven", ("unproven", RAW), ("copy", RAW), 0.6),
    ("P2 whole", ("proven", RAW), ("copy", RAW), 0.45),
    ("P3 whole, not proven", ("unproven", RAW), ("overwrite", RAW), 2),
    ("P3 whole", ("proven", RAW), ("overwrite", RAW), 2),
    ("P5 by row groups", ("row_groups", LARGE), ("rewrite", LARGE), 10),
)
NOTES = (
    "the table's seconds are of whole processes. The goals are of the work alone: without",
    "  interpreter, imports and the opening of the lakehouse, of both sides. As times, ours over",
    "  the peer's: at most 1/0.95 where the goal is 0.95 times the peer's rate.",
    "the bare COPY plans nothing, keeps no field ids, syncs and commits nothing; ours does that,",
    "  and the whole one writes the snapshot, reads it back and compares it with its parent.",
    "P3: overwrite proves nothing either. Spark and Trino come with the cluster.",
    "page cache: warm for all.",
)


def measured(options: Options) -> Findings:
    """All sides in shuffled rounds; with ``--sf10`` ours and PyArrow once at ten times SF1."""
    files = options.lineitem_files
    lake = made(files, options)
    rounds = _rounds(lake, options)
    goals = judged(rounds)
    sizes = {
        "tables": _shapes(files),
        "large": f"{large_files(files)} files of a row group, {ROWS_PER_LARGE_FILE:,} rows at most",
    }
    if options.sf10:
        more = _sf10(options)
        goals += _memory(more, "SF10")
        rounds = {**rounds, **more}
        sizes["SF10"] = _shapes(SF10_FILES)
    return Findings("compaction", sizes, rounds, goals, (*NOTES, *_work(rounds)))


def judged(rounds: Rounds) -> list[Goal]:
    """P1 to P5."""
    return [*(_rate(rounds, *one) for one in RATES), *_reading(rounds), *_memory(rounds)]


def made(files: int, options: Options) -> Lake:
    """The lakehouse with that many small files; kept for the next time."""
    name = f"lineitem-{files}"
    return lakes.kept_lake(name, options.work, "benchmarks.made_lineitem", str(files))


def side(lake: Lake, verb: str, table: str, *, label: str = "") -> Side:
    """One engine, on a table that is as it was made."""
    words = ("aggregate",) if table == LARGE else ()
    return Side(
        f"{NAMES[verb]}, {label or table}",
        ("-m", *(() if verb in PEERS else (LEAN,)), MODULE, verb, table, *words),
        lambda _: lakes.put_back(lake),
        environment=lake.variables,
    )


def _rounds(lake: Lake, options: Options) -> Rounds:
    try:
        return shuffled_rounds(
            [side(lake, *one) for one in SIDES],
            rounds=options.rounds,
            warmups=options.warmups,
            work=options.work,
            order=options.order,
        )
    finally:
        lakes.forget_new_files(lake)


def _sf10(options: Options) -> Mapping[str, Sequence[Sample]]:
    lake = made(SF10_FILES, options)
    try:
        sides = [side(lake, verb, MAINTAINED, label="SF10") for verb in ("proven", "writer")]
        return {one.name: [measure(one, work=options.work)] for one in sides}
    finally:
        lakes.forget_new_files(lake)


def _shapes(files: int) -> str:
    return f"{files * ROWS_PER_FILE:,} rows, 16 columns; {table_shapes(files)}"


def _name(verb: str, table: str) -> str:
    return f"{NAMES[verb]}, {table}"


def _seconds(rounds: Rounds, verb: str, table: str) -> float:
    """Of the work; the rewrite's alone where it is the rewrite that is compared."""
    what = "rewrite" if verb in ("rewrite", "row_groups") else "work"
    return middle(rounds[_name(verb, table)], what)


def _rate(
    rounds: Rounds, what: str, ours: tuple[str, str], peer: tuple[str, str], least: float
) -> Goal:
    ratio = _seconds(rounds, *ours) / _seconds(rounds, *peer)
    words = f"{what}, {ours[1]}: ours / {NAMES[peer[0]]}"
    return Goal(words, ratio, round(1 / least, 3), "x")


def _reading(rounds: Rounds) -> list[Goal]:
    copied, encoded = (
        middle(rounds[_name(verb, LARGE)], "aggregate") for verb in ("row_groups", "rewrite")
    )
    return [Goal("P5 aggregates on it, by row groups / rewritten", copied / encoded, 1.3, "x")]


def _memory(rounds: Rounds, label: str = MAINTAINED) -> list[Goal]:
    ours = max(one.peak_mib for one in rounds[_name("proven", label)])
    peer = max(
        one.peak_mib for one in rounds[_name("writer", RAW if label == MAINTAINED else label)]
    )
    return [
        Goal(f"P4 peak memory, {label}", ours, PEAK_MIB, " MiB"),
        Goal(f"P4 peak memory, {label}: ours / {NAMES['writer']}", ours / peer, PEAK_SHARE, "x"),
    ]


def _work(rounds: Rounds) -> list[str]:
    """What the goals are made of."""
    lines = ["seconds of the work alone, min, median, max:"]
    for name, samples in rounds.items():
        found = sorted(one.said["work"] for one in samples)
        also = "".join(
            f"; {what} {middle(samples, what):.3f}"
            for what in ("rewrite", "aggregate")
            if what in samples[0].said
        )
        work = middle(samples, "work")
        lines.append(f"  {name:<36}{found[0]:.2f} {work:.2f} {found[-1]:.2f}{also}")
    return lines
