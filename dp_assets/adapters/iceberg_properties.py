"""Setting table properties in one commit, in tables of every format version.

PyIceberg cannot write version 3 metadata and drops fields that it does not know, so a SQL
catalog's metadata is edited as the JSON it is.
"""

from collections.abc import Callable, Mapping

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table.update import AssertTableUUID, SetPropertiesUpdate

from dp_assets.adapters.iceberg_json import with_properties
from dp_assets.adapters.iceberg_publish import move_to
from dp_assets.adapters.iceberg_state import TableState, load_state
from dp_assets.core.ids import TableId


def set_properties(
    catalog: Catalog,
    table: TableId,
    state: TableState,
    properties: Mapping[str, str],
    *,
    now_ms: int,
    before_swap: Callable[[], None],
) -> TableState:
    """Add ``properties`` to those of ``state``; nothing else of the table changes.

    ``before_swap`` is the last word of whoever guards the table.

    Raises:
        TransientError: another writer was first.
        OutcomeUnknownError: the catalog broke off and cannot be asked.
    """
    if isinstance(catalog, SqlCatalog):
        raw = with_properties(state.raw, properties, previous_location=state.pointer, now_ms=now_ms)
        return move_to(catalog, table, state, raw, before_swap=before_swap)
    before_swap()
    answer = catalog.commit_table(
        catalog.load_table(table.identifier),
        (AssertTableUUID(uuid=state.model.table_uuid),),
        (SetPropertiesUpdate(updates=dict(properties)),),
    )
    return load_state(state.io, answer.metadata_location)
