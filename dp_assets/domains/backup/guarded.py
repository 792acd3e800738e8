"""What a run may rely on in the repository, while it may still write there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.domains.backup.repository import KnownObjects


class OneObject:
    """The known objects as seen by one object on its way.

    ``require`` raises when this run may no longer write, because its lease ended. It is called
    right before the object gets its name: a run that was stopped and goes on later must not
    replace what the next run has stored, with other bytes where content is encrypted.
    """

    def __init__(self, known: KnownObjects, require: Callable[[], None]) -> None:
        self._known = known
        self._require = require
        self.was_added = False

    def stored(self, name: str) -> tuple[str, int] | None:
        there = self._known.stored(name)
        if there is None:
            self._require()
        return there

    def added(self, name: str, stored_sha256: str, stored_size: int) -> None:
        self._known.added(name, stored_sha256, stored_size)
        self.was_added = True
