"""``python -m benchmarks.orchestration_side bare|steps COUNT``: the same functions, two ways."""

import sys
import time

import dagster as dg

from benchmarks.measure import say
from dp_assets.domains.lake.identity import DEMO
from dp_assets.lakehouse import opened
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.orchestration.running import dagster_instance
from dp_assets.settings import load_settings
from dp_assets.usecases.initialising import initialise

GROUP = "bench"


def function(number: int, tables: int) -> int:
    """What a step does: next to nothing, so that what is around it is measured."""
    return number + tables


def step(number: int) -> dg.AssetsDefinition:
    """``function`` as an asset that opens the lakehouse, after the one before it."""

    @dg.asset(name=f"step_{number}", deps=[f"step_{number - 1}"] if number else [])
    def build(house: LakehouseResource) -> dg.MaterializeResult:
        with house.open() as lake:
            return dg.MaterializeResult(metadata={"sum": function(number, len(lake.tables()))})

    return build


def by_steps(count: int) -> tuple[float, float, int]:
    """Wall and CPU seconds of a job's second run in this process, and how many steps it made."""
    location = dg.Definitions(
        assets=[step(number) for number in range(count)],
        jobs=[dg.define_asset_job(GROUP)],
        resources={"house": LakehouseResource()},
        executor=dg.in_process_executor,
    )
    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    job = location.resolve_job_def(GROUP)
    with dagster_instance(load_settings()) as instance:
        job.execute_in_process(instance=instance, run_config=quiet)
        wall, cpu = time.perf_counter(), time.process_time()
        done = job.execute_in_process(instance=instance, run_config=quiet)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall, cpu, len(done.filter_events(lambda event: event.is_step_success))


def bare(count: int) -> tuple[float, float, int]:
    """The same without Dagster."""
    with opened() as lake:
        lake.tables()
        wall, cpu = time.perf_counter(), time.process_time()
        for number in range(count):
            function(number, len(lake.tables()))
        return time.perf_counter() - wall, time.process_time() - cpu, count


def main(how: str, count: int) -> None:
    """Measure one of the two ways."""
    initialise(load_settings(), origin=DEMO)
    wall, cpu, steps = by_steps(count) if how == "steps" else bare(count)
    say(per_step=wall / steps, per_step_cpu=cpu / steps, steps=steps)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
