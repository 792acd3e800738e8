"""A repository of tiny points with everybody who works in it."""

from dataclasses import dataclass, field

from dp_assets.adapters.recovery.sealing import PlainSealing
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.opening import initialise, open_repository
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.repository import Repository
from dp_assets.domains.backup.retention import Rules
from dp_assets.usecases.backup.pruning import Pruned, Pruning, prune
from dp_assets_tests.fakes.objects import MemoryObjectStore
from dp_assets_tests.usecases.backup.tiny_points import (
    LEASE_MS,
    START_MS,
    Clock,
    back_up,
    leases_of,
    verify_fully,
)

NEWEST = Rules(daily=0, weekly=0, monthly=0, min_proven=0)
A, B, C, D = (letter * 9 for letter in (b"a", b"b", b"c", b"d"))


def table(*contents: bytes) -> dict[str, dict[str, bytes]]:
    return {"shop.things": {f"{content[:1].decode()}.parquet": content for content in contents}}


@dataclass
class House:
    """A repository, a clock, and everybody who works with it."""

    store: MemoryObjectStore = field(default_factory=MemoryObjectStore)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        if not self.store.objects:
            initialise(self.store, PlainSealing(), repository_id="r", now_ms=START_MS)

    @property
    def repository(self) -> Repository:
        return open_repository(self.store, lambda _: PlainSealing())

    @property
    def points(self) -> Points:
        return Points(self.repository)

    def back_up(self, *contents: bytes, **more: bool) -> int:
        return back_up(self.repository, self.clock, table(*contents), **more).number

    def prune(self, rules: Rules = NEWEST, **more: frozenset[int]) -> Pruned:
        asked = Pruning(rules, owner="prune", lease_ms=LEASE_MS, **more)
        leases = leases_of(self.store, self.clock)
        return prune(self.repository, leases, asked, now_ms=self.clock)

    def prune_until_clean(self) -> None:
        """Twice: what the first condemns the second deletes."""
        for _ in range(2):
            self.clock.hours(3)
            assert self.prune().postponed == ""

    def require_whole(self) -> None:
        outcome = verify_fully(self.repository, now_ms=self.clock())
        assert [d for d in outcome.damages if not d.mended] == []

    def require_clean(self) -> None:
        """Nothing is left but what the points need, and the marks that stay for ever."""
        outcome = verify_fully(self.repository, now_ms=self.clock())
        assert outcome.is_whole
        assert (outcome.superfluous, outcome.foreign) == (0, ())
        for number, names in self.points.files().items():
            gone = {layout.CLAIM}, {layout.CLAIM, layout.PRUNED}
            assert number in self.points.numbers() or names in gone
        assert [*self.store.list(layout.CONDEMNED)] == []


def with_history(kind: str) -> House:
    """Objects that are needed, forgotten, condemned lately, and condemned long enough ago."""
    house = House()
    house.back_up(A, B)
    house.back_up(B, C)
    if kind == "nothing forgotten":
        return house
    house.prune()
    house.clock.hours(3 if kind == "due" else 0.5)
    return house
