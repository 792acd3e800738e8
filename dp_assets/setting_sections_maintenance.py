"""The sections of `lakehouse.yaml` about maintenance."""

from collections.abc import Mapping

from pydantic import Field

from dp_assets.domains.maintenance.rules import TableRules
from dp_assets.setting_sections import Section


class MaintenanceBudget(Section):
    """What all tables together may cost per hour."""

    tables_per_hour: int = Field(
        100, ge=1, le=1_000_000, description="Tables that are worked on within an hour."
    )
    gib_per_hour: int = Field(
        100, ge=1, le=1_000_000, description="Bytes that compaction rewrites within an hour."
    )


class Maintenance(Section):
    """What keeps tables healthy, and when."""

    budget: MaintenanceBudget
    trash_days: int = Field(
        7, ge=1, le=3650, description="Days that files stay after nothing needs them any more."
    )
    policies: Mapping[str, TableRules] = Field(
        {}, description="By glob over namespace.table; key by key the most specific one counts."
    )
