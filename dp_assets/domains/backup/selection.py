"""Which tables a recovery point is to hold: globs over ``namespace.table``."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId


@dataclass(frozen=True, slots=True)
class Selection:
    """Globs as in a shell, case counts; ``*`` also matches dots. Excluding beats including."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()

    def has(self, table: TableId | str) -> bool:
        """Whether the table is asked for."""
        name = str(table)
        return _any(name, self.include) and not _any(name, self.exclude)

    def of(self, tables: Iterable[TableId]) -> tuple[TableId, ...]:
        """What is asked for of ``tables``, sorted."""
        return tuple(sorted(table for table in tables if self.has(table)))

    def warnings(self, tables: Collection[TableId]) -> tuple[str, ...]:
        """Globs of ``include`` that match none of the tables, in words; none without tables."""
        names = list(map(str, tables))
        return tuple(
            f"include {glob} matches no table: a typing error, or it was dropped"
            for glob in (self.include if names else ())
            if not any(fnmatchcase(name, glob) for name in names)
        )


def require_any(selection: Selection, tables: Collection[TableId]) -> tuple[TableId, ...]:
    """The selected tables.

    Raises:
        ConfigurationError: there are tables and none is selected; that would save nothing.
    """
    selected = selection.of(tables)
    if tables and not selected:
        raise ConfigurationError(
            f"none of {len(tables)} tables is selected by include "
            f"{', '.join(selection.include) or 'nothing'}, exclude "
            f"{', '.join(selection.exclude) or 'nothing'}",
            hint="'dp tables' lists the names; see backup.include and backup.exclude",
        )
    return selected


def _any(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
