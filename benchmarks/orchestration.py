"""Case ``orchestration``: what a Dagster step costs above the function it calls."""

from benchmarks.measure import Side, middle, shuffled_rounds
from benchmarks.options import Options
from benchmarks.report import Findings, Goal

STEPS = 20
SIDES = {"bare functions": "bare", "steps, events in SQLite": "steps"}


def measured(options: Options) -> Findings:
    """The same functions called, and run as steps of a job in one process."""
    sides = [
        Side(name, ("-m", "benchmarks.orchestration_side", how, str(STEPS)))
        for name, how in SIDES.items()
    ]
    rounds = shuffled_rounds(
        sides,
        rounds=options.rounds,
        warmups=options.warmups,
        work=options.work,
        order=options.order,
    )
    bare, steps = (middle(rounds[name], "per_step") for name in SIDES)
    cpu = middle(rounds["steps, events in SQLite"], "per_step_cpu")
    return Findings(
        "orchestration",
        {"steps": f"{STEPS} assets in one job, in process, each opening the lakehouse resource"},
        rounds,
        [Goal("a step above its function", steps - bare, 0.1, " s")],
        (f"per step {steps * 1000:.1f} ms ({cpu * 1000:.1f} ms CPU), bare {bare * 1000:.3f} ms;",
         "  the second job of a process: the first also loads what Dagster imports late"),
    )  # fmt: skip
