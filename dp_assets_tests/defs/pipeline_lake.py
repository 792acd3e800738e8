"""The whole pipeline over five small days: a lakehouse, Dagster's record, and both compared."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from dp_assets.adapters.catalogs import open_catalog
from dp_assets.adapters.fingerprint import fingerprint
from dp_assets.adapters.iceberg_json import ancestors, read_metadata
from dp_assets.definitions import defs
from dp_assets.domains.pipeline import graph
from dp_assets.domains.pipeline.due import DayRange
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.orchestration.made import range_tags
from dp_assets.ports.tables import RunMark, TableSpec
from dp_assets.settings import load_settings
from dp_assets_tests.adapters.week_of_flights import Edit, unchanged, write_week


@dataclass(frozen=True)
class PipelineLake:
    """Everything in one folder; ``config`` is its lakehouse.yaml."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "lakehouse.yaml"

    def prepare(self, *, edit: Edit = unchanged) -> None:
        """The source, the settings and an empty catalog."""
        write_week(self.folder / "source", edit=edit)
        self.config.write_text(
            f"environment: test\npipeline:\n  source: {self.folder / 'source'}\n"
        )
        settings = load_settings(self.config, env={})
        settings.state_dir.mkdir(exist_ok=True)
        where = settings.catalog
        open_catalog(
            where.name,
            kind=where.type,
            uri=where.uri,
            warehouse=settings.warehouse.root,
            properties={},
        ).close()

    def add_dimensions(self) -> None:
        """What the ``dimensions`` job would do, without Dagster."""
        with self.open() as lake:
            for spec in graph.DIMENSIONS:
                lake.pipeline.build_whole(spec, reads=(), run=RunMark("setup", "setup"))

    @contextmanager
    def open(self) -> Generator[Lakehouse, None, None]:
        with opened(load_settings(self.config, env={})) as lake:
            yield lake

    def run(
        self,
        job: str,
        instance: dg.DagsterInstance,
        *,
        days: tuple[str, str] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Run a job of the code location on this lakehouse; DP_CONFIG names it."""
        tags = range_tags(DayRange(*days)) if days else {}
        found = defs().resolve_job_def(job)  # pyright: ignore[reportCallIssue]
        return found.execute_in_process(instance=instance, tags=tags, raise_on_error=False)

    def content(self, *specs: TableSpec) -> Mapping[str, tuple[int, str]]:
        """Table -> number of rows and hash of all of them, in the order of the key."""
        found: dict[str, tuple[int, str]] = {}
        with self.open() as lake, lake.reader() as reader:
            lake.attach(reader, [spec.table for spec in specs])
            for spec in specs:
                order = ", ".join(f'"{name}"' for name in spec.key_columns)
                rows = reader.rows(f"FROM {spec.table} ORDER BY {order}", about=spec.table)
                found[str(spec.table)] = (rows.num_rows, fingerprint(rows))
        return found

    def days_in(self, spec: TableSpec) -> Mapping[str, int]:
        """Day -> number of rows in the table."""
        with self.open() as lake, lake.reader() as reader:
            lake.attach(reader, [spec.table])
            query = f'SELECT "{spec.day_column}"::VARCHAR, count(*) FROM {spec.table} GROUP BY ALL'
            return dict(sorted(reader.connection.sql(query).fetchall()))

    def check_record(self, instance: dg.DagsterInstance) -> None:
        """Dagster's word on every day of every daily table is true of the table (I7).

        The last materialization's snapshot is in the table's history, was the last one that
        wrote that day, and has as many rows as it says.
        """
        for daily in graph.DAILY:
            spec = daily.spec
            written, rows = self._last_writer(spec), self.days_in(spec)
            for day, event in materializations(instance, spec).items():
                assert str(event.metadata["snapshot_id"].value) == written[day], (spec.table, day)
                said = event.metadata["dagster/partition_row_count"].value
                assert said == rows.get(day, 0), (spec.table, day)

    def _last_writer(self, spec: TableSpec) -> Mapping[str, str]:
        """Day -> the snapshot that wrote it last, by the table's own history."""
        with self.open() as lake:
            table = lake.catalog.load_table(spec.table.identifier)
            raw = read_metadata(table.io, table.metadata_location)
        found: dict[str, str] = {}
        for snapshot in ancestors(raw):
            found.setdefault(snapshot["summary"]["dp.partition"], str(snapshot["snapshot-id"]))
        return found


def materializations(
    instance: dg.DagsterInstance, spec: TableSpec
) -> Mapping[str, dg.AssetMaterialization]:
    """Day -> what was recorded last."""
    events = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=dg.AssetKey(spec.writer.split("/"))), limit=1000
    )
    found: dict[str, dg.AssetMaterialization] = {}
    for record in events.records:
        made = record.asset_materialization
        if made is not None and made.partition is not None:
            found.setdefault(made.partition, made)
    return found


def verdicts(result: dg.ExecuteInProcessResult, spec: TableSpec) -> Mapping[str | None, bool]:
    """Day -> whether its contract passed, as the run recorded it."""
    return {
        evaluation.partition: evaluation.passed
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.asset_key == dg.AssetKey(spec.writer.split("/"))
    }


def failures(result: dg.ExecuteInProcessResult) -> Mapping[str, str]:
    """Step -> what its failure says."""
    found: dict[str, str] = {}
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.STEP_FAILURE and event.step_key:
            data = event.step_failure_data
            said = data.user_failure_data.description if data.user_failure_data else None
            found[event.step_key] = said or (data.error.to_string() if data.error else "")
    return found


def started(result: dg.ExecuteInProcessResult) -> set[str]:
    """Steps that were begun; those after a failed one are not."""
    return steps(result, dg.DagsterEventType.STEP_START)


def steps(result: dg.ExecuteInProcessResult, kind: dg.DagsterEventType) -> set[str]:
    return {event.step_key or "" for event in result.all_events if event.event_type == kind}
