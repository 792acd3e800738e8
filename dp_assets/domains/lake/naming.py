"""A table as a person types it, and the nearest one when there is none of that name."""

from collections.abc import Collection
from difflib import get_close_matches

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId


def find_table(text: str, tables: Collection[TableId]) -> TableId:
    """The one of ``tables`` that ``text`` names.

    Raises:
        ConfigurationError: there is no such table; says which one is nearest.
    """
    for table in tables:
        if str(table) == text:
            return table
    raise unknown_table(text, tables)


def unknown_table(text: str, tables: Collection[TableId]) -> ConfigurationError:
    """The error for a name that none of ``tables`` has."""
    near = nearest(text, tables)
    hint = f"did you mean {near}? 'dp tables' lists all" if near else "'dp tables' lists all"
    return ConfigurationError(f"there is no table {text}", hint=hint)


def nearest(text: str, tables: Collection[TableId]) -> TableId | None:
    """The table whose name is most like ``text``, which may lack the namespace."""
    wanted = text.lower()
    by_name = {str(t).lower(): t for t in sorted(tables, reverse=True)}
    by_last = {t.name.lower(): t for t in sorted(tables, reverse=True)}
    for names in (by_name, by_last):
        if wanted in names:
            return names[wanted]
    for names, given in ((by_name, wanted), (by_last, wanted.rpartition(".")[2])):
        if found := get_close_matches(given, names, n=1):
            return names[found[0]]
    return None
