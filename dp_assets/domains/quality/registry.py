"""Which table has which contract; a contract and pandera load when it is asked for."""

import importlib
from collections.abc import Mapping

from dp_assets.core.ids import TableId
from dp_assets.domains.quality.contract import Contract

_MODULES: Mapping[str, str] = {
    "raw.flights": "raw_flights",
    "raw.weather": "raw_weather",
    "raw.planes": "raw_planes",
    "raw.airports": "raw_airports",
    "raw.airlines": "raw_airlines",
    "curated.flights": "curated_flights",
    "features.route_day": "route_day",
    "features.carrier_day": "carrier_day",
}
CONTRACTED: tuple[TableId, ...] = tuple(map(TableId.parse, _MODULES))


def contract_for(table: TableId) -> Contract | None:
    """The contract of ``table`` with its own tolerances; None when it has no contract."""
    name = _MODULES.get(str(table))
    if name is None:
        return None
    module = importlib.import_module(f"dp_assets.domains.quality.contracts.{name}")
    contract: Contract = module.contract()
    return contract
