"""Whether everything that the points need is there and still what was stored: words and decisions.

What is damaged is a finding, not an error; every finding is in the outcome.
"""

import re
from dataclasses import dataclass

from dp_assets.core.units import DAY_MS
from dp_assets.domains.backup import layout

GONE = "it is gone"
_OURS = re.compile(
    r"repository(\.copy)?\.json"
    r"|points/\d{8,}/(claim|point|point\.copy|pruned)\.json"
    r"|points/\d{8,}/manifest(\.copy)?\.json\.gz(\.age)?"
    r"|(condemned|pins)/\d{8,}\.json"
    r"|proofs/\d{8,}/\d+\.json"
    r"|(recipients|leases)/.+"
)


@dataclass(frozen=True, slots=True)
class Broken:
    """What a damage takes from one point.

    Attributes:
        table: the table that is hit; "" when it is no table.
        file: the file of the table by its path, or the part of the point.
        snapshots: ids of the snapshots that cannot be read any more.
    """

    point: int
    table: str
    file: str
    snapshots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Damage:
    """One stored thing that is not what it should be.

    Attributes:
        points: the recovery points that need it.
        breaks: empty where only points are known: naming tables takes the private key.
        mended: it was put right at once from another copy.
    """

    key: str
    what: str
    points: tuple[int, ...] = ()
    breaks: tuple[Broken, ...] = ()
    mended: bool = False

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables hit, in any point."""
        return tuple(sorted({one.table for one in self.breaks if one.table}))

    @property
    def snapshots(self) -> tuple[int, ...]:
        """The snapshots hit, of any table."""
        return tuple(sorted({number for one in self.breaks for number in one.snapshots}))


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found.

    Attributes:
        objects: needed by the points looked at; ``bytes`` is their size as stored.
        reread: objects whose content was hashed; the others were compared by size.
        superfluous: objects that no point needs: they wait to be pruned, or a backup is running.
        foreign: keys that no repository has; left alone.
        explained: whether tables and snapshots could be named.
    """

    points: int
    objects: int
    bytes: int
    reread: int
    reread_bytes: int
    superfluous: int
    superfluous_bytes: int
    foreign: tuple[str, ...]
    damages: tuple[Damage, ...]
    explained: bool

    @property
    def is_whole(self) -> bool:
        """Nothing was damaged, not even something that could be mended."""
        return not self.damages


@dataclass(frozen=True, slots=True)
class Share:
    """How much is read again in one run; ``full`` is everything."""

    now_ms: int
    reread_days: int
    full: bool = False

    def is_due(self, name: str, *, read_ms: int | None, needed_since_ms: int) -> bool:
        """Whether an object is read in this run.

        Every day has a slot that a name falls into once in ``reread_days``; whatever was not read
        for longer than that is overdue and read too.

        Args:
            name: hexadecimal, so that slots share the objects evenly.
            read_ms: when it was last read; a time to come does not count: some clock was wrong.
            needed_since_ms: when the oldest point that needs it was made; counts as its first
                reading, for it was hashed while it was stored.
        """
        if self.full:
            return True
        today = self.now_ms // DAY_MS
        if read_ms is not None and read_ms > self.now_ms:
            read_ms = None
        last_ms = needed_since_ms if read_ms is None else read_ms
        if self.now_ms - last_ms >= self.reread_days * DAY_MS:
            return True
        is_slot = int(name[:8], 16) % self.reread_days == today % self.reread_days
        return is_slot and (read_ms is None or read_ms // DAY_MS != today)


def is_ours(key: str) -> bool:
    """Whether a repository has such a key; anything else was put there by somebody."""
    return layout.object_name(key) is not None or _OURS.fullmatch(key) is not None
