"""Case ``planning``: P7 and P8, what reading a table's metadata costs; no data file is opened."""

from benchmarks.commit_cost import FILES, histories, side
from benchmarks.made_histories import MANY_MANIFESTS, ONE_MANIFEST, UNMANAGED
from benchmarks.made_lineitem import MANIFESTS
from benchmarks.measure import Rounds, middle, shuffled_rounds
from benchmarks.options import Options
from benchmarks.report import Findings, Goal

MS_PER_FILE, MS_PER_MANIFEST = 0.07, 1.2
SIDES = (
    *((verb, table) for verb in ("plan", "plain_plan") for table in (ONE_MANIFEST, MANY_MANIFESTS)),
    ("expiry", UNMANAGED),
    ("read_once", UNMANAGED),
)
NOTES = (
    "plan: what a compaction would do, of every file. plain_plan: PyIceberg's plan of a scan.",
    "expiry: what an expiry of all but five snapshots would free. read_once: every list and every",
    "  manifest read and parsed once by the same code, and nothing asked of them.",
)


def measured(options: Options, files: int = FILES) -> Findings:
    """Planning in one and in a hundred manifests; reachability over a long history."""
    lake = histories(options, files)
    rounds = shuffled_rounds(
        [side(lake, *one) for one in SIDES],
        rounds=options.rounds,
        warmups=options.warmups,
        work=options.work,
        order=options.order,
    )
    manifests = min(MANIFESTS, files)
    expiry = rounds[f"expiry, {UNMANAGED}"]
    once = _ms(rounds, "expiry", UNMANAGED) / _ms(rounds, "read_once", UNMANAGED)
    reads = max(one.said["reads"] / one.said["files"] for one in expiry)
    return Findings(
        "planning",
        {
            "planned": f"{files:,} files in 1 and in {manifests} manifests",
            "history": f"{options.commits:,} snapshots, as many manifests",
        },
        rounds,
        [
            _goal(rounds, ONE_MANIFEST, files, 1),
            _goal(rounds, MANY_MANIFESTS, files, manifests),
            Goal("P8 expiry planned / lists and manifests read once", once, 1.2, "x"),
            Goal("P8 reads of each list and manifest", reads, 1, ""),
        ],
        (*NOTES, *_table(rounds, files, manifests)),
    )


def _ms(rounds: Rounds, verb: str, table: str) -> float:
    return middle(rounds[f"{verb}, {table}"], "work") * 1000


def _goal(rounds: Rounds, table: str, files: int, manifests: int) -> Goal:
    limit = MS_PER_FILE * files + MS_PER_MANIFEST * manifests
    words = f"P7 planning {files:,} files, manifests: {manifests}"
    return Goal(words, _ms(rounds, "plan", table), limit, " ms")


def _table(rounds: Rounds, files: int, manifests: int) -> list[str]:
    """The two terms of the model, from two tables of as many files."""
    lines: list[str] = []
    for verb in ("plan", "plain_plan"):
        one, many = (_ms(rounds, verb, table) for table in (ONE_MANIFEST, MANY_MANIFESTS))
        each = (many - one) / max(1, manifests - 1)
        lines.append(f"  {verb}: {one / files:.3f} ms per file, {each:.2f} ms per manifest")
    return lines
