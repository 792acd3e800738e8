"""Whether a metadata file may become a table of this catalog, and on which terms."""

from collections.abc import Mapping

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.identity import NAMESPACE
from dp_assets.ports.inventory import TableFacts

VERSIONS = (1, 2, 3)


def check_name(table: TableId, taken: Mapping[TableId, str]) -> None:
    """Raises ConfigurationError when the name is taken or kept for our own facts."""
    if table.namespace == NAMESPACE:
        raise ConfigurationError(
            f"namespace {NAMESPACE} is kept for this product's own tables",
            hint="register it in another one",
        )
    twins = [t for t in taken if str(t).lower() == str(table).lower()]
    if twins:
        raise ConfigurationError(
            f"there is a table {twins[0]} already", hint="choose another name; see 'dp tables'"
        )


def check_terms(facts: TableFacts, *, warehouse: str) -> None:
    """Refuse what could not be read, and what another lakehouse of ours changes.

    Such a table says ``dp.adopted`` of itself. In this warehouse it is one whose entry in the
    catalog was lost; anywhere else it would be changed, and its files deleted, by two.

    Raises ConfigurationError.
    """
    if facts.format_version not in VERSIONS:
        raise ConfigurationError(
            f"{facts.metadata_location} has format version {facts.format_version}",
            hint=f"this version reads {', '.join(map(str, VERSIONS))}",
        )
    if facts.adopted and not facts.location.startswith(warehouse.rstrip("/") + "/"):
        raise ConfigurationError(
            f"{facts.metadata_location} belongs to another dp lakehouse, which changes it",
            hint="query it there, or register a copy without properties dp.adopted and dp.writer",
        )


def check_not_twice(facts: TableFacts, others: Mapping[TableId, str]) -> None:
    """Raises ConfigurationError when one of ``others`` (table to uuid) is this very table."""
    for table, uuid in others.items():
        if uuid and uuid == facts.uuid:
            raise ConfigurationError(
                f"{facts.metadata_location} is registered already, as {table}",
                hint="two entries for one table would lose each other's commits",
            )
