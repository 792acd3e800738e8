"""The one Dagster resource: the lakehouse that ``lakehouse.yaml`` describes."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field, PrivateAttr

from dp_assets.adapters.sqlite_kept_open import kept_open
from dp_assets.orchestration.made import event_databases

if TYPE_CHECKING:
    from collections.abc import Generator

    from dp_assets.lakehouse import Lakehouse


class LakehouseResource(dg.ConfigurableResource):
    """Opens no lakehouse until :meth:`open`; then one for the whole run.

    Its imports wait too: loading the code location must not pay for PyIceberg and DuckDB.
    Meanwhile Dagster's own event databases are kept open, which makes each event cheaper.
    """

    config_file: str = Field(
        default="", description="Path of lakehouse.yaml; empty: DP_CONFIG, else ./lakehouse.yaml."
    )
    _lake: Lakehouse | None = PrivateAttr(default=None)
    _events: ExitStack = PrivateAttr(default_factory=ExitStack)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Keep the event store open while a run writes to it."""
        if context.instance is not None and context.run is not None:
            for database in event_databases(context.instance, context.run):
                self._events.enter_context(kept_open(database))

    @contextmanager
    def open(self) -> Generator[Lakehouse, None, None]:
        """The run's lakehouse; it stays open for the next step."""
        if self._lake is None:
            from dp_assets.lakehouse import Lakehouse
            from dp_assets.settings import load_settings

            settings = load_settings(Path(self.config_file) if self.config_file else None)
            self._lake = Lakehouse(settings, doing="dagster")
        yield self._lake

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close what was opened."""
        del context
        self._events.close()
        if self._lake is not None:
            self._lake.close()
            self._lake = None
