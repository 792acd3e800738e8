"""Which delete entries nothing live needs once some data files are replaced.

A delete that is left although nothing needs it costs a little; one that is taken away although a
file needs it brings deleted rows back. So each is judged against the head at every attempt.

Source: Iceberg table specification, "Scan Planning": which deletes apply to which data file.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from dp_assets.core.errors import PermanentError
from dp_assets.domains.maintenance.conflicts import Named
from dp_assets.domains.maintenance.heads import Head, Placed
from dp_assets.ports.live_files import Scope, may_name
from dp_assets.ports.recovery import FileKind


def dangling(
    head: Head, *, gone: Collection[str], added: Iterable[tuple[Scope, int]], named: Named
) -> tuple[Placed, ...]:
    """The delete entries of ``head`` that apply to nothing afterwards.

    Args:
        head: of the table now.
        gone: data files of it that are replaced.
        added: partition and sequence number of each new data file.
        named: reads a position delete file; one that cannot be read stays.
    """
    rest = [
        (placed.scope, placed.entry.sequence_number or 0)
        for path, placed in head.data.items()
        if path not in gone
    ]
    after = _After(
        head=head,
        gone=gone,
        touched=frozenset(head.data[path].scope for path in gone),
        lowest=_lowest([*rest, *added]),
        named=named,
    )
    return tuple(delete for delete in head.deletes if not after.needs(delete))


@dataclass(frozen=True, slots=True)
class _After:
    """The table without the data files ``gone`` of the partitions ``touched``."""

    head: Head
    gone: Collection[str]
    touched: Collection[Scope]
    lowest: Mapping[Scope | None, int]
    named: Named

    def needs(self, delete: Placed) -> bool:
        """Whether a delete entry may apply to something; True where nothing was replaced."""
        kind = delete.entry.kind
        if kind is FileKind.EQUALITY_DELETES:
            return self._applies_by_value(delete)
        if delete.scope not in self.touched:
            return True
        if kind is FileKind.DELETION_VECTORS:
            return self._is_live(delete.entry.referenced)
        if not any(may_name(delete.entry, path) for path in self.gone):
            return True
        try:
            return any(self._is_live(path) for path in self.named(delete.entry))
        except PermanentError:
            return True

    def _applies_by_value(self, delete: Placed) -> bool:
        everywhere = delete.scope[0] in self.head.global_specs
        if not everywhere and delete.scope not in self.touched:
            return True
        lowest = self.lowest.get(None if everywhere else delete.scope)
        return lowest is not None and lowest < (delete.entry.sequence_number or 0)

    def _is_live(self, path: str) -> bool:
        return path in self.head.data and path not in self.gone


def _lowest(files: Iterable[tuple[Scope, int]]) -> dict[Scope | None, int]:
    """The lowest sequence number by partition; of all files under None."""
    found: dict[Scope | None, int] = {}
    for place, number in files:
        for key in (place, None):
            found[key] = min(found.get(key, number), number)
    return found
