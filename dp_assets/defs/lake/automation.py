"""When the inventory runs: a look at the catalog's pointers every minute."""

import dagster as dg

from dp_assets import keys
from dp_assets.adapters.inventory_state import read_inventory
from dp_assets.core.errors import ConfigurationError
from dp_assets.domains.lake.inventory import pointers_digest
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.settings import load_settings


@dg.definitions
def automation() -> dg.Definitions:
    """The sensor, started where the settings start everything."""
    return dg.Definitions(sensors=[tables_moved_sensor(default_status())])


def default_status() -> dg.DefaultSensorStatus:
    """RUNNING when ``schedules.enabled`` says so."""
    enabled = load_settings().schedules.enabled
    return dg.DefaultSensorStatus.RUNNING if enabled else dg.DefaultSensorStatus.STOPPED


def tables_moved_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor ``tables_moved``; a function, because its status is read from the settings."""

    @dg.sensor(
        target=[keys.INVENTORY],
        minimum_interval_seconds=60,
        default_status=status,
        description="Asks for a sweep when a table appeared, went or committed.",
    )
    def tables_moved(
        context: dg.SensorEvaluationContext, house: LakehouseResource
    ) -> dg.SensorResult | dg.SkipReason:
        """Asks for a sweep when a table appeared, went or committed, but not for `ops` commits."""
        from dp_assets.adapters.pyiceberg_inventory import list_pointers

        try:
            with house.open() as lake:
                now = pointers_digest(list_pointers(lake.catalog))
                state_file = lake.settings.inventory_file
        except ConfigurationError as error:
            return dg.SkipReason(str(error))
        if now == context.cursor:
            return dg.SkipReason("no table moved since the last look")
        if now == pointers_digest(read_inventory(state_file).inventory.pointers):
            return dg.SensorResult(skip_reason="the inventory has seen this already", cursor=now)
        # No run key: pointers may come back to an earlier state (a table renamed and renamed
        # back), and Dagster never runs a key twice. The cursor asks once per change.
        return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=now)

    return tables_moved
