"""What ``dp init`` records: the identity of a new lakehouse, or of a copy that became its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dp_assets.core.ids import TableId
from dp_assets.domains.lake.identity import Identity, Place, require_same

CLONED_FROM = "dp.cloned-from"


@dataclass(frozen=True, slots=True)
class IdentityPlan:
    """The identity after initialising, and the namespace properties to write for it.

    ``changes`` is empty when the identity is recorded already.
    """

    identity: Identity
    changes: Mapping[str, str] = field(default_factory=dict[str, str])


def plan_identity(
    found: Identity | None, place: Place, *, origin: str, new_id: str, renew: bool
) -> IdentityPlan:
    """Keep the identity that was ``found``, or make one from ``new_id``.

    Args:
        found: as recorded in the catalog.
        place: where the settings say this lakehouse is.
        origin: of a lakehouse that has none recorded; a copy keeps the origin of its original.
        new_id: used only when an identity is made.
        renew: this is a copy that gets an identity of its own.

    Raises:
        PermanentError: the identity was recorded for another place, and not ``renew``.
    """
    if found and not renew:
        return IdentityPlan(require_same(found, place, doing="dp init"))
    made = Identity(new_id, place, found.origin if found else origin)
    source = {CLONED_FROM: found.lakehouse_id} if found else {}
    return IdentityPlan(made, made.properties() | source)


def tables_shared(
    found: Identity | None, place: Place, pointers: Mapping[TableId, str]
) -> tuple[TableId, ...]:
    """Tables of a copy whose files are where its original keeps its own, in order of name.

    A copied catalog names the same files: what the copy deletes is gone for the original, too.
    """
    if found is None or found.place == place:
        return ()
    root = found.place.warehouse.rstrip("/") + "/"
    return tuple(sorted(t for t, pointer in pointers.items() if pointer.startswith(root)))
