"""Pins: points that retention never forgets. A pin counts by being there, whatever it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.errors import ConfigurationError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked

if TYPE_CHECKING:
    from dp_assets.domains.backup.points import Points
    from dp_assets.ports.object_store import ObjectStore


@dataclass(frozen=True, slots=True)
class Pin:
    """Since when and why a point is kept."""

    number: int
    at_ms: int
    note: str


def pin(store: ObjectStore, points: Points, made: Pin) -> None:
    """Keep a point until it is unpinned; a second pin replaces the note.

    Raises:
        ConfigurationError: there is no such point, or it was forgotten meanwhile.
    """
    points.record(made.number)
    key = layout.numbered_key(layout.PINS, made.number)
    store.put(key, checked(made))
    if points.find(made.number) is None:
        # Forgotten between the look and the pin: a pin that keeps nothing must not stay.
        store.delete([key])
        raise ConfigurationError(
            f"recovery point {made.number} was forgotten just now", hint="see 'dp points'"
        )


def unpin(store: ObjectStore, number: int) -> None:
    """Let retention decide again. Raises ConfigurationError when it was not pinned."""
    key = layout.numbered_key(layout.PINS, number)
    if store.size(key) is None:
        raise ConfigurationError(f"recovery point {number} is not pinned", hint="see 'dp points'")
    store.delete([key])


def pinned_numbers(store: ObjectStore) -> frozenset[int]:
    """Every pinned point."""
    numbers = (layout.number_of(info.key) for info in store.list(layout.PINS))
    return frozenset(number for number in numbers if number)
