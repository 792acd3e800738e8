"""Running jobs without a daemon, in this process, against the instance that the UI shows."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from dp_assets.adapters.lease_owner import is_gone, owner_text
from dp_assets.core.errors import ConfigurationError, TransientError
from dp_assets.definitions import defs
from dp_assets.defs.loggers import STEPS_LOGGER
from dp_assets.orchestration.made import OWNER, UNFINISHED, is_running, range_tags
from dp_assets.orchestration.planning import (
    PIPELINE,
    RECOVERY_JOBS,
    Planned,
    parse_days,
    plan_job,
    plan_pipeline,
    report_is_due,
)
from dp_assets.orchestration.recovery import today

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from contextlib import AbstractContextManager

    from dp_assets.core.ids import TableId
    from dp_assets.ports.maintenance import Operation
    from dp_assets.settings import Settings

    Progress = Callable[[int, str], AbstractContextManager[Callable[[int], None]]]


# Without it the job's page in the UI does not count the run among its own.
CODE_LOCATION = ".dagster/repository"
LOCATION = "__repository__@dp_assets.definitions"


@dataclass(frozen=True, slots=True)
class Finished:
    """One run that ended; ``failures`` are the steps that failed, in words."""

    planned: Planned
    run_id: str
    success: bool
    failures: tuple[str, ...]


@contextmanager
def dagster_instance(settings: Settings) -> Generator[dg.DagsterInstance, None, None]:
    """The instance under the state folder. Raises ConfigurationError before ``dp init``."""
    home = settings.dagster_home
    if not (home / "dagster.yaml").exists():
        raise ConfigurationError(
            f"there is no Dagster home at {home}", hint="'dp init' makes it; 'make demo' too"
        )
    os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.from_config(str(home), "dagster.yaml") as instance:
        yield instance


def run_job(settings: Settings, *, job: str, days: str, show: Progress) -> tuple[Finished, ...]:
    """Run ``job``; ``pipeline`` stands for every run that is due, then inventory and report.

    Raises:
        ConfigurationError: no such job, or days that are none of the pipeline's.
    """
    asked, at_most = parse_days(days), settings.pipeline.days_per_run
    with dagster_instance(settings) as instance:
        runner = Runner(instance, defs(), show)
        if job != PIPELINE:
            return tuple(runner.run(p) for p in plan_job(job, asked, at_most=at_most))
        finished = [runner.run(p) for p in plan_pipeline(instance, asked, at_most=at_most)]
        # The days after those just made look back on them: ask again, once.
        late = plan_pipeline(instance, asked, at_most=at_most)
        finished += [runner.run(p) for p in late if p.job == "features"]
        if report_is_due(instance):
            finished += [runner.run(Planned(name)) for name in ("inventory", "health", "report")]
    return tuple(finished)


def run_operations(
    settings: Settings, work: Sequence[tuple[TableId, Operation]], *, show: Progress
) -> tuple[Finished, ...]:
    """Maintenance, one run for each operation on a table, as its sensor would ask for them."""
    with dagster_instance(settings) as instance:
        runner = Runner(instance, defs(), show)
        return tuple(runner.run(Planned(str(operation), table=table)) for table, operation in work)


@dataclass(frozen=True, slots=True)
class Runner:
    """Makes runs in this process; ``show`` is told how many steps a run has, and of each."""

    instance: dg.DagsterInstance
    definitions: dg.Definitions
    show: Progress

    def run(self, planned: Planned) -> Finished:
        """One run. Raises TransientError while another of its job is under way."""
        _end_dead_runs(self.instance)
        if planned.days and is_running(self.instance, planned.job):
            raise TransientError(
                f"another run of job {planned.job} has not ended",
                hint="wait for it; a run that was killed is ended in the UI, or by the daemon",
            )
        job = self.definitions.resolve_job_def(planned.job)
        with self.show(len(job.nodes), str(planned)) as advance, _listening(advance):
            result = job.execute_in_process(
                instance=self.instance,
                raise_on_error=False,
                tags=_tags(planned),
                partition_key=_partition(planned),
                run_config={"loggers": {"steps": {"config": {}}}},
            )
        failed = result.filter_events(lambda e: e.is_step_failure)
        if any(_was_interrupted(event) for event in failed):
            raise KeyboardInterrupt
        failures = tuple(_reason(event, refused=_refusals(result)) for event in failed)
        return Finished(planned, result.run_id, success=result.success, failures=failures)


def _partition(planned: Planned) -> str | None:
    if planned.table:
        return str(planned.table)
    return today() if planned.job in RECOVERY_JOBS else None


def _tags(planned: Planned) -> dict[str, str]:
    days = range_tags(planned.days) if planned.days else {}
    return {OWNER: owner_text(planned.job), CODE_LOCATION: LOCATION, **days}


def _end_dead_runs(instance: dg.DagsterInstance) -> None:
    """A run whose process was killed on this machine ends as failed instead of never."""
    for record in instance.get_run_records(filters=dg.RunsFilter(statuses=list(UNFINISHED))):
        owner = record.dagster_run.tags.get(OWNER, "")
        if is_gone(owner):
            instance.report_run_failed(record.dagster_run, f"its process is gone: {owner}")


def _was_interrupted(event: dg.DagsterEvent) -> bool:
    """Ctrl-C: Dagster has failed the step and ended the run by then."""
    error = event.step_failure_data.error
    return error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__


def _refusals(result: dg.ExecuteInProcessResult) -> str:
    """What the checks of the run refused, in their words."""
    said = [
        f"{e.asset_check_evaluation_data.asset_key.to_user_string()}: "
        f"{e.asset_check_evaluation_data.description}"
        for e in result.all_events
        if e.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
        and not e.asset_check_evaluation_data.passed
        and e.asset_check_evaluation_data.severity is dg.AssetCheckSeverity.ERROR
    ]
    return "\n".join(said)


def _reason(event: dg.DagsterEvent, *, refused: str) -> str:
    data = event.step_failure_data
    if data.error and data.error.cls_name == "DagsterAssetCheckFailedError" and refused:
        return refused
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error else f"{event.step_key} failed"


@contextmanager
def _listening(advance: Callable[[int], None]) -> Generator[None, None, None]:
    """Dagster's own log goes to its event store; a person hears of steps only."""

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "dagster_meta", {}).get("dagster_event")
            if event is not None and event.event_type_value in ("STEP_SUCCESS", "STEP_FAILURE"):
                advance(1)

    listener, logger = Listener(), logging.getLogger(STEPS_LOGGER)
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)
