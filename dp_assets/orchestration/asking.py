"""From what is due to runs that are asked for: one per table, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from dp_assets import keys
from dp_assets.core.units import now_ms
from dp_assets.orchestration.made import UNFINISHED
from dp_assets.orchestration.operations import KEYS, TABLE, WHY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dp_assets.lakehouse import Lakehouse
    from dp_assets.usecases.maintenance.asking import Ask

JOB = "maintenance"
JOBS = frozenset({JOB, *map(str, KEYS)})
RUN_KEY, PARTITION = "dagster/run_key", "dagster/partition"
LONGEST = "dagster/max_runtime"  # seconds; run_monitoring in dagster.yaml
SAID = 500  # characters of a reason; a tag is no place for more
PARTITIONS = str(keys.TABLES.name)


def asked_runs(
    lake: Lakehouse, instance: dg.DagsterInstance, *, everything: bool = False
) -> list[dg.RunRequest] | dg.SkipReason:
    """A run for each table that is due, the worst first; or why there is none.

    A table is asked for once per state, and not while a run of it waits or is under way.
    """
    from dp_assets.usecases.maintenance.asking import due_work, longest_seconds

    found = due_work(lake, now_ms=now_ms(), everything=everything)
    if not found.looked_at:
        return dg.SkipReason(f"of {found.tables:,} tables none moved, and no time has come")
    requests = [
        _request(ask, seconds=longest_seconds(lake, ask, now_ms=now_ms()))
        for ask in _unasked(instance, found.asks)
    ]
    if requests:
        _add_partitions(instance, requests)
        return requests
    due = f"{len(found.asks):,} due, asked for before" if found.asks else "none is due"
    return dg.SkipReason(f"{found.looked_at:,} of {found.tables:,} tables looked at: {due}")


def _unasked(instance: dg.DagsterInstance, asks: Iterable[Ask]) -> Iterator[Ask]:
    busy = _busy_tables(instance)
    for ask in asks:
        name = str(ask.table)
        if not (name in busy or _was_asked(instance, ask.key)) and _is_key(name):
            yield ask


def _request(ask: Ask, *, seconds: int) -> dg.RunRequest:
    """The run that does it; Dagster's daemon ends it after ``seconds``."""
    name, why = str(ask.table), "; ".join(ask.reasons)[:SAID]
    return dg.RunRequest(
        run_key=ask.key,
        partition_key=name,
        asset_selection=[KEYS[ask.operation]],
        tags={TABLE: name, WHY: why, LONGEST: str(seconds)},
    )


def _busy_tables(instance: dg.DagsterInstance) -> set[str]:
    """Of which a run waits or is under way, whoever asked for it."""
    records = instance.get_run_records(dg.RunsFilter(statuses=list(UNFINISHED)))
    runs = [record.dagster_run for record in records]
    return {run.tags.get(PARTITION, "") for run in runs if run.job_name in JOBS}


def _was_asked(instance: dg.DagsterInstance, key: str) -> bool:
    """By the sensor or the schedule: Dagster itself compares the keys of each alone."""
    return bool(instance.get_run_records(dg.RunsFilter(tags={RUN_KEY: key}), limit=1))


def _is_key(name: str) -> bool:
    """Some names of tables can be no partition; the inventory leaves them out as well."""
    from dp_assets.domains.lake.inventory import NO_PARTITION_KEY

    return not NO_PARTITION_KEY.search(name)


def _add_partitions(instance: dg.DagsterInstance, requests: Iterable[dg.RunRequest]) -> None:
    """A table that the inventory has not seen yet is a partition from now on."""
    wanted = {str(request.partition_key) for request in requests}
    known = set(instance.get_dynamic_partitions(PARTITIONS))
    instance.add_dynamic_partitions(PARTITIONS, sorted(wanted - known))
