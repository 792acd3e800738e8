"""Which snapshots the rules of retention keep: see ``expiry`` for what they are. Pure.

Source: Iceberg table specification, "Snapshot Retention Policy".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dp_assets.core.errors import PermanentError
from dp_assets.core.units import DAY_MS, format_seconds, iso_utc

MAIN = "main"
MAX_AGE, MIN_COUNT, MAX_REF_AGE = (
    "max-snapshot-age-ms",
    "min-snapshots-to-keep",
    "max-ref-age-ms",
)
PROPERTY = "history.expire."
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Retention:
    """The policy, where neither ref nor table says otherwise; a snapshot stays by either."""

    max_age_ms: int = 7 * DAY_MS
    min_snapshots: int = 5


@dataclass(frozen=True, slots=True)
class KeptBy:
    """What the rules look at.

    Attributes:
        by_id: snapshots in the order of the metadata.
        born_ms: when each was committed, or the youngest of its ancestors was.
        refs: branches and tags, ``main`` always among them where there is a current snapshot.
        properties: the table's ``history.expire.*``, without that prefix.
    """

    by_id: Mapping[int, Json]
    born_ms: Mapping[int, int]
    refs: Mapping[str, Json]
    properties: Mapping[str, str]
    retention: Retention
    log: tuple[Json, ...]
    head: int | None

    @classmethod
    def of(cls, metadata: Json, retention: Retention) -> "KeptBy":
        by_id: dict[int, Json] = {s["snapshot-id"]: s for s in metadata.get("snapshots") or ()}
        head = metadata.get("current-snapshot-id")
        head = head if head in by_id else None
        refs: dict[str, Json] = dict(metadata.get("refs") or {})
        if head is not None:
            refs[MAIN] = {**refs.get(MAIN, {}), "snapshot-id": head, "type": "branch"}
        given: Mapping[str, str] = metadata.get("properties") or {}
        return cls(
            by_id=by_id,
            born_ms=_born(by_id),
            refs=refs,
            properties={
                name.removeprefix(PROPERTY): value
                for name, value in given.items()
                if name.startswith(PROPERTY)
            },
            retention=retention,
            log=tuple(metadata.get("snapshot-log") or ()),
            head=head,
        )

    def is_past(self, ref: Json, now_ms: int) -> bool:
        """Whether the ref's own age has passed; without one it stays for ever."""
        limit = self._limit(ref, MAX_REF_AGE, None)
        born = self.born_ms.get(ref["snapshot-id"])
        return limit is not None and born is not None and now_ms - born > limit

    def kept(self, refs: Mapping[str, Json], now_ms: int) -> dict[int, str]:
        """Every snapshot that stays, and why."""
        kept: dict[int, str] = {} if self.head is None else {self.head: "current"}
        stood_on: set[int] = set()
        for name, ref in refs.items():
            line = list(self._ancestry(ref["snapshot-id"], stood_on))
            if ref["type"] == "branch":
                for one, why in self._of_branch(name, ref, now_ms):
                    kept.setdefault(one, why)
            elif line or ref["snapshot-id"] in stood_on:
                kept.setdefault(ref["snapshot-id"], f"tag {name}")
            stood_on.update(line)
        kept.update(self._given_up(stood_on, now_ms))
        return kept

    def _of_branch(self, name: str, ref: Json, now_ms: int) -> Iterator[tuple[int, str]]:
        age = self._limit(ref, MAX_AGE, self.retention.max_age_ms)
        count = max(self._limit(ref, MIN_COUNT, self.retention.min_snapshots) or 1, 1)
        for place, one in enumerate(self._ancestry(ref["snapshot-id"], set())):
            if place < count:
                yield one, f"one of the newest {count} of branch {name}"
            elif age is not None and now_ms - self.born_ms[one] <= age:
                yield one, f"younger than {format_seconds(age / 1000)}, on branch {name}"
            else:
                return

    def _given_up(self, stood_on: set[int], now_ms: int) -> Iterator[tuple[int, str]]:
        """Snapshots on no branch that are young, or were current until lately."""
        age = self._limit({}, MAX_AGE, self.retention.max_age_ms) or 0
        left = self._left_ms()
        for one in self.by_id:
            last = max(self.born_ms[one], left.get(one, 0))
            if one not in stood_on and now_ms - last <= age:
                yield one, f"on no branch, in use until {iso_utc(last)}"

    def _left_ms(self) -> dict[int, int]:
        """When each snapshot stopped being the current one, for the last time."""
        following = (*self.log[1:], None)
        return {
            entry["snapshot-id"]: after["timestamp-ms"]
            for entry, after in zip(self.log, following, strict=False)
            if after is not None
        }

    def _ancestry(self, snapshot: int, known: set[int]) -> Iterator[int]:
        """A snapshot and its parents, newest first, as far as they are there and not ``known``."""
        seen: set[int] = set()
        at: int | None = snapshot
        while at is not None and at in self.by_id and at not in seen and at not in known:
            seen.add(at)
            yield at
            at = self.by_id[at].get("parent-snapshot-id")

    def _limit(self, ref: Json, name: str, default: int | None) -> int | None:
        """The ref's own, else the table's, else the policy's."""
        own = ref.get(name)
        said = self.properties.get(name, default) if own is None else own
        try:
            return None if said is None else int(said)
        except ValueError as error:
            raise PermanentError(
                f"{PROPERTY}{name} is {said!r}, no number", hint="set that table property right"
            ) from error


def _born(by_id: Mapping[int, Json]) -> dict[int, int]:
    """When each snapshot was committed, never before one that it stands on."""
    found: dict[int, int] = {}
    for start in by_id:
        line: list[int] = []
        at: int | None = start
        while at is not None and at in by_id and at not in found:
            found[at] = by_id[at]["timestamp-ms"]
            line.append(at)
            at = by_id[at].get("parent-snapshot-id")
        newest = found.get(at, 0) if at is not None else 0
        for one in reversed(line):
            newest = found[one] = max(newest, found[one])
    return found
