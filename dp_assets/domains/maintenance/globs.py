"""Which of several globs over table names is the most specific.

Globs as in a shell, case counts, ``*`` also matches dots. Compared are, in this order: plain
characters, ``[sets]``, ``?``: more of them is more specific; then ``*``: fewer are. So a name
beats every glob that matches it, ``raw.flights*`` beats ``*.flights``, ``raw.?`` beats ``raw.*``.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase


def specificity(glob: str) -> tuple[int, int, int, int]:
    """Greater is more specific."""
    plain = sets = single = stars = at = 0
    while at < len(glob):
        end = _set_end(glob, at)
        if end:
            sets, at = sets + 1, end
            continue
        single += glob[at] == "?"
        stars += glob[at] == "*"
        plain += glob[at] not in "?*"
        at += 1
    return plain, sets, single, -stars


def matching(name: str, globs: Iterable[str]) -> list[str]:
    """The globs that ``name`` matches, the most specific first."""
    found = (glob for glob in globs if fnmatchcase(name, glob))
    return sorted(found, key=lambda glob: (specificity(glob), glob), reverse=True)


def _set_end(glob: str, at: int) -> int:
    """Behind a ``[set]`` that begins at ``at``; 0 when none does. A ``]`` in first place is in it.

    Source: the rules of ``fnmatch.translate``.
    """
    if glob[at] != "[":
        return 0
    first = at + 1 + (glob[at + 1 : at + 2] == "!")
    return glob.find("]", first + 1) + 1
