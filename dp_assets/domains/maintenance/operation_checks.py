"""What is checked of an operation on a table after it was done, and what a check may say."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from dp_assets.ports.maintenance import Operation

MAIN = "main"


class OperationCheck(StrEnum):
    """A question about one operation on one table; the table is read again to answer it."""

    ROWS = "rows_unchanged"
    REFS = "refs_survive"
    CLOSURE = "closure_complete"
    SMALL_FILES = "small_files_fell"
    MEMORY = "memory_within_limit"
    NOT_REFUSED = "not_refused"


_ALWAYS = (OperationCheck.MEMORY, OperationCheck.NOT_REFUSED)
_COMMITS = (
    OperationCheck.ROWS,
    OperationCheck.REFS,
    OperationCheck.CLOSURE,
    *_ALWAYS,
)
# The removal of orphans commits nothing to the table: rows and refs are where its metadata has
# them, and what it could break is a file that something names, which the closure tells.
CHECKS: Mapping[Operation, tuple[OperationCheck, ...]] = MappingProxyType(
    {
        Operation.EXPIRY: _COMMITS,
        Operation.MANIFESTS: _COMMITS,
        Operation.COMPACTION: (*_COMMITS, OperationCheck.SMALL_FILES),
        Operation.ORPHANS: (OperationCheck.CLOSURE, *_ALWAYS),
    }
)


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer.

    Attributes:
        said: in words, with the figures.
        findings: what is wrong, one by one.
        is_warning: what is wrong is no fault of the operation.
    """

    passed: bool
    said: str
    findings: tuple[str, ...] = ()
    is_warning: bool = False


def lost_refs(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    own: int | None,
    expired: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """Branches and tags that a commit took away or moved, and those that point at nothing.

    Args:
        before: the table's metadata that the commit was made from.
        after: the metadata of the commit itself.
        own: its snapshot, which main moves to; None where it has none.
        expired: refs past their own age, which may go.
    """
    there = {snapshot["snapshot-id"] for snapshot in after.get("snapshots") or ()}
    old, new = _refs(before), _refs(after)
    if own is not None and MAIN in new:
        old[MAIN] = {"type": "branch", **old.get(MAIN, {}), "snapshot-id": own}
    said: list[str] = []
    for name, ref in old.items():
        found = new.get(name)
        if found is None:
            if name not in expired:
                said.append(f"{ref['type']} {name} is gone")
        elif found != ref:
            said.append(f"{ref['type']} {name} is not as it was")
        elif ref["snapshot-id"] not in there:
            said.append(f"the snapshot of {ref['type']} {name} is gone")
    return tuple(said)


def _refs(metadata: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """With main where the metadata, as of version 1, has only a current snapshot."""
    given: Mapping[str, Mapping[str, Any]] = metadata.get("refs") or {}
    refs = {name: dict(ref) for name, ref in given.items()}
    head = metadata.get("current-snapshot-id")
    if head not in (None, -1):
        refs.setdefault(MAIN, {"snapshot-id": head, "type": "branch"})
    return refs
