"""Objects of a repository that are read again, and a memory of which were."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.copying import StoppableReader, StoppedError, Workers, threads_for
from dp_assets.domains.backup.verify_objects import examine, examine_small
from dp_assets.ports.object_store import WHOLE_BYTES
from dp_assets.ports.repository_index import Checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from threading import Event

    from dp_assets.domains.backup.progress import BackupProgress
    from dp_assets.domains.backup.verification import Share
    from dp_assets.domains.backup.verify_objects import Expected, Listed
    from dp_assets.ports.object_store import ObjectStore
    from dp_assets.ports.repository_index import RepositoryIndex

REMEMBER_AT_ONCE = 500  # a killed verification forgets no more than this


class Rereading:
    """Of the objects that ``share`` says are due."""

    def __init__(
        self,
        store: ObjectStore,
        index: RepositoryIndex,
        share: Share,
        *,
        memory: Memory,
        workers: int,
        progress: BackupProgress,
    ) -> None:
        self._store = store
        self._index = index
        self._share = share
        self._workers = workers
        self._progress = progress
        self._memory = memory

    def due(self, expected: Expected, listed: Listed) -> Iterator[tuple[str, int]]:
        """Name and size of what the share asks for."""
        names = list(listed.sizes)
        for start in range(0, len(names), REMEMBER_AT_ONCE):
            some = names[start : start + REMEMBER_AT_ONCE]
            known = self._index.checked(some)
            for name in some:
                seen = known.get(name)
                if (seen and seen.damaged) or self._share.is_due(
                    name,
                    read_ms=seen.at_ms if seen else None,
                    needed_since_ms=expected.since_ms(name),
                ):
                    yield name, listed.sizes[name]

    def read(self, due: Mapping[str, int], expected: Expected) -> dict[str, str]:
        """What is wrong with them, by name; right ones are written down."""
        store = self._store
        self._progress.phase("reading")
        self._progress.expect(sum(due.values()))

        def work(name: str, stop: Event) -> tuple[str, str]:
            forms = expected.forms(name)
            if due[name] > WHOLE_BYTES:
                what = examine(
                    store,
                    name,
                    forms,
                    lambda reader: StoppableReader(reader, stop, self._progress.advance),
                )
            elif stop.is_set():
                raise StoppedError
            else:
                what = examine_small(store, name, forms)
                self._progress.advance(due[name])
            if not what:
                self._memory.right(name)
            return name, what

        try:
            places = (store.address,)
            # Even small ones: the system opens and reads one while Python is with the other.
            count = max(2, threads_for(due.values(), places, most=self._workers))
            found = Workers(work, count=count).run(due)
        finally:
            self._memory.write()
        return {name: what for name, what in found if what}


class Memory:
    """Writes down what was read, some at a time."""

    def __init__(self, index: RepositoryIndex, *, at_ms: int) -> None:
        self._index = index
        self._at_ms = at_ms
        self._lock = Lock()
        self._waiting: list[str] = []

    def right(self, name: str) -> None:
        with self._lock:
            self._waiting.append(name)
            if len(self._waiting) >= REMEMBER_AT_ONCE:
                self._write()

    def write(self) -> None:
        with self._lock:
            self._write()

    def damaged(self, names: Mapping[str, str]) -> None:
        """The next backup stores these again when it needs them."""
        if names:
            self._index.set_checked(dict.fromkeys(names, Checked(self._at_ms, damaged=True)))

    def _write(self) -> None:
        seen = Checked(self._at_ms, damaged=False)
        self._index.set_checked(dict.fromkeys(self._waiting, seen))
        self._waiting.clear()
