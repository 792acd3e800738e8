"""Which lakehouse this is, and whether it is the one its settings point at.

The identity is three facts recorded together in the catalog: the lakehouse id, the catalog's
address and the warehouse root. A dump restored next door carries the id but is found at another
address; a clone of the files has another root. Whatever destroys must see all three agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dp_assets.core.errors import PermanentError

NAMESPACE = "ops"
DEMO = "demo"  # origin of a lakehouse that the demo made and may therefore damage
ID, ADDRESS, WAREHOUSE, ORIGIN = "dp.id", "dp.catalog-address", "dp.warehouse", "dp.origin"


@dataclass(frozen=True, slots=True)
class Place:
    """Where settings say the lakehouse is; addresses without credentials."""

    catalog_address: str
    warehouse: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What the catalog recorded at ``dp init``; ``origin`` is ``demo`` for the demo's own."""

    lakehouse_id: str
    place: Place
    origin: str

    def properties(self) -> dict[str, str]:
        """As namespace properties of ``ops``: every catalog keeps them, and dumps carry them."""
        return {
            ID: self.lakehouse_id,
            ADDRESS: self.place.catalog_address,
            WAREHOUSE: self.place.warehouse,
            ORIGIN: self.origin,
        }


def recorded(properties: Mapping[str, str]) -> Identity | None:
    """The identity in the properties of namespace ``ops``; None before ``dp init``."""
    if ID not in properties:
        return None
    place = Place(properties.get(ADDRESS, ""), properties.get(WAREHOUSE, ""))
    return Identity(properties[ID], place, properties.get(ORIGIN, ""))


def differences(identity: Identity, actual: Place) -> tuple[str, ...]:
    """What recorded and actual place disagree on, in words; empty when this is the one."""
    pairs = (
        ("catalog address", identity.place.catalog_address, actual.catalog_address),
        ("warehouse root", identity.place.warehouse, actual.warehouse),
    )
    return tuple(
        f"{what}: recorded {was}, settings say {is_}" for what, was, is_ in pairs if was != is_
    )


def require_same(identity: Identity | None, actual: Place, *, doing: str) -> Identity:
    """The identity, if this is certainly its lakehouse.

    Raises:
        PermanentError: never initialised, or a clone or restored dump of another one.
    """
    if identity is None:
        raise PermanentError(f"{doing}: this lakehouse has no identity", hint="run 'dp init'")
    found = differences(identity, actual)
    if found:
        raise PermanentError(
            f"{doing}: this is not lakehouse {identity.lakehouse_id} itself ({'; '.join(found)})",
            hint="a copy gets its own identity with 'dp init --new-identity'; nothing was changed",
        )
    return identity
