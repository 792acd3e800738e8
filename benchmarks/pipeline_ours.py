"""Our side of the pipeline case: ``python -m benchmarks.pipeline_ours DAYS``.

It is what ``dp demo`` does before its recovery point: the lakehouse made, every step run.
"""

import os
import sys
from collections.abc import Iterator

import dagster as dg

from benchmarks.measure import say, since_start
from dp_assets import keys
from dp_assets.cli.main import main as dp
from dp_assets.settings import load_settings

# What the plain script does not do; everything else counts as the same work.
MORE = (keys.BENCHMARK_RESULTS, keys.PIPELINE_REPORT, keys.INVENTORY)


def main(days: str) -> None:
    """Build ``days`` days in the state folder; stop when it did not end well."""
    os.environ["DP_DAYS"] = days
    settings = load_settings()
    first, last = settings.pipeline.demo_first_day, settings.pipeline.demo_last_day
    code = dp(["init"]) or dp(["run", "pipeline", "--days", f"{first}..{last}", "--json"])
    seconds = since_start()
    if code:
        raise SystemExit(f"dp init or dp run ended with {code}")
    home = str(settings.dagster_home)
    with dg.DagsterInstance.from_config(home, "dagster.yaml") as instance:
        more = sum(more_seconds(instance))
        rows = sum(rows_of(instance))
    print()
    say(everything=seconds, same_work=seconds - more, rows=rows)


def more_seconds(instance: dg.DagsterInstance) -> Iterator[float]:
    """How long each step took that is more than the plain script does."""
    more = {"__".join(key.path) for key in MORE}
    for record in instance.get_run_records():
        for step in instance.get_run_step_stats(record.dagster_run.run_id):
            if step.step_key.startswith(tuple(more)) and step.start_time and step.end_time:
                yield step.end_time - step.start_time


def rows_of(instance: dg.DagsterInstance) -> Iterator[int]:
    """Rows of each day of ``raw.flights``, as its materialization says."""
    for event in instance.fetch_materializations(keys.RAW_FLIGHTS, limit=1000).records:
        materialization = event.asset_materialization
        if materialization:
            yield int(str(materialization.metadata["dagster/partition_row_count"].value))


if __name__ == "__main__":
    main(sys.argv[1])
