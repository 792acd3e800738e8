"""Case ``pipeline``: all steps with Dagster against a plain script with PyIceberg and DuckDB."""

from dataclasses import replace

from benchmarks.measure import Rounds, Side, middle, shuffled_rounds
from benchmarks.options import Options
from benchmarks.report import Findings, Goal

OURS, PLAIN, APPENDING = "ours", "plain script", "plain, append only"
YEAR = 365
NOTES = (
    "ours is `dp init` and `dp run`: each step with events, leases, fsync, a verdict for each day.",
    "the plain script reads, transforms and judges with the same functions, SQL and contracts and",
    "  writes by PyIceberg's overwrite, filtered by day; it judges what it holds in memory, does",
    "  not read back, sync to disk, lease, resume, record events, or go on after a bad day.",
    "'append only' differs in one thing: it doubles its rows when run twice. No goal is on it.",
    "compared is what all do: tables, contracts, reconciliation, results. Inventory, timed queries",
    "  and the report page, which only ours makes, are in its absolute and its CPU seconds.",
)


def measured(options: Options) -> Findings:
    """Ours and two plain scripts over the same days; with ``year`` also 365 days of ours, once."""
    days = options.days
    warm = [replace(side, arguments=(*side.arguments[:-1], "1")) for side in sides(days)]
    shuffled_rounds(warm, rounds=1, warmups=0, work=options.work, order=options.order)
    rounds = dict(
        shuffled_rounds(
            sides(days), rounds=options.rounds, warmups=0, work=options.work, order=options.order
        )
    )
    goals = _goals(rounds, days)
    if options.year:
        [ours, *_] = sides(YEAR)
        once = shuffled_rounds(
            [replace(ours, name=f"ours, {YEAR} days")],
            rounds=1, warmups=0, work=options.work, order=options.order,
        )  # fmt: skip
        rounds |= once
        goals += _year_goals(rounds, days)
    return Findings("pipeline", {"days": f"{days} from 2013-01-01"}, rounds, goals, _notes(rounds))


def sides(days: int) -> list[Side]:
    """Ours and the two plain scripts; the last argument of each is the number of days."""
    return [
        Side(OURS, ("-m", "benchmarks.pipeline_ours", str(days))),
        Side(PLAIN, ("-m", "benchmarks.pipeline_plain", "overwrite", str(days))),
        Side(APPENDING, ("-m", "benchmarks.pipeline_plain", "append", str(days))),
    ]


def _goals(rounds: Rounds, days: int) -> list[Goal]:
    ours, plain = rounds[OURS], rounds[PLAIN]
    ratio = middle(ours, "same_work") / middle(plain, "same_work")
    goals = [
        Goal("same work, ours / plain script", ratio, 1.3, "x"),
        Goal("peak memory", max(s.peak_mib for s in ours), 700, " MiB"),
    ]
    if days == 90:
        goals.append(Goal("90 days, everything", middle(ours, "everything"), 90, " s"))
    return goals


def _year_goals(rounds: Rounds, days: int) -> list[Goal]:
    year = rounds[f"ours, {YEAR} days"]
    peak = Goal(f"peak memory, {YEAR} days", max(s.peak_mib for s in year), 700, " MiB")
    if days != 90:
        return [peak]
    return [
        Goal(
            "365 days / 90 days",
            middle(year, "everything") / middle(rounds[OURS], "everything"),
            5,
            "x",
        ),
        peak,
    ]


def _notes(rounds: Rounds) -> tuple[str, ...]:
    ours, plain, appending = (rounds[name] for name in (OURS, PLAIN, APPENDING))
    same, cpu = middle(ours, "same_work"), middle(ours, "cpu_seconds")
    return (
        *NOTES,
        f"same work  ours {same:.1f} s, plain {middle(plain, 'same_work'):.1f} s, "
        f"append only {middle(appending, 'same_work'):.1f} s",
        f"ours / plain {same / middle(plain, 'same_work'):.2f}x, "
        f"ours / append only {same / middle(appending, 'same_work'):.2f}x; in CPU seconds, "
        f"with all that ours does more, {cpu / middle(plain, 'cpu_seconds'):.2f}x and "
        f"{cpu / middle(appending, 'cpu_seconds'):.2f}x",
        f"only ours: inventory, timed queries, report {middle(ours, 'everything') - same:.1f} s",
        f"rows in raw.flights: {middle(ours, 'rows'):.0f} and {middle(plain, 'rows'):.0f}",
    )
