"""Under which names tables come back: globs that choose, patterns that rename."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId

HOW = "write it as OLD=NEW with a * on both sides or on none, e.g. 'raw.*=restored.*'"
_MAGIC = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Rename:
    """``OLD=NEW``: what each ``*`` of OLD stands for is put into the same ``*`` of NEW."""

    old: str
    new: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ConfigurationError for what is no renaming."""
        old, equals, new = text.partition("=")
        if not (old and equals and new) or old.count("*") != new.count("*"):
            raise ConfigurationError(f"not a renaming: {text!r}", hint=HOW)
        return cls(old, new)

    def apply(self, table: TableId) -> TableId | None:
        """The new name; None when the pattern is not about this table."""
        pattern = "(.*)".join(map(re.escape, self.old.split("*")))
        found = re.fullmatch(pattern, str(table))
        if not found:
            return None
        parts = self.new.split("*")
        filled = zip(parts[1:], found.groups(), strict=True)
        return TableId.parse(parts[0] + "".join(group + part for part, group in filled))


def is_glob(pattern: str) -> bool:
    """Whether a pattern may mean several tables; one that cannot names a table explicitly."""
    return not _MAGIC.isdisjoint(pattern)


def choose(tables: Iterable[TableId], patterns: Sequence[str]) -> tuple[TableId, ...]:
    """The tables that a pattern matches, in order of name; all without patterns.

    Raises ConfigurationError for a pattern that matches nothing.
    """
    known = sorted(tables)
    if not patterns:
        return tuple(known)
    for pattern in patterns:
        if not any(fnmatchcase(str(table), pattern) for table in known):
            raise ConfigurationError(
                f"the recovery point has no table {pattern}",
                hint="'dp points show N' lists its tables; globs match whole names: 'raw.*'",
            )
    return tuple(t for t in known if any(fnmatchcase(str(t), p) for p in patterns))


def rename(tables: Iterable[TableId], renames: Sequence[Rename]) -> dict[TableId, TableId]:
    """Old name -> new name; the first renaming that fits counts, else the name stays.

    Raises ConfigurationError when two tables would get one name, also when only case differs:
    some catalogs do not tell those apart.
    """
    names = {
        table: next((new for r in renames if (new := r.apply(table))), table) for table in tables
    }
    counts = Counter(str(new).lower() for new in names.values())
    twice = sorted(str(old) for old, new in names.items() if counts[str(new).lower()] > 1)
    if twice and any(old != new for old, new in names.items()):
        raise ConfigurationError(
            f"{', '.join(twice)} would get one name", hint="rename them one by one"
        )
    return names
