"""New files on their way to the disk while more are written, so that less is left for the end."""

from collections.abc import Callable
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from dp_assets.core.errors import LakeError

# The disk has something to do, and each call costs little beside writing that much.
EVERY_BYTES = 128 << 20


class Settling:
    """Calls ``settle`` in a thread of its own whenever enough was written.

    It saves time and promises nothing: what must be durable is settled once more at the end. Its
    error is raised by :meth:`finish`, or at the end of a ``with`` whatever else went wrong in it:
    the system tells only once.
    """

    def __init__(self, settle: Callable[[], None], *, every_bytes: int | None = None) -> None:
        self._settle = settle
        self._every_bytes = every_bytes or EVERY_BYTES
        self._lock = Lock()
        self._waiting_bytes = 0
        self._thread: Thread | None = None
        self._error: LakeError | None = None

    def wrote(self, size_bytes: int) -> None:
        """So much more was written; returns at once."""
        with self._lock:
            self._waiting_bytes += size_bytes
            at_work = self._thread is not None and self._thread.is_alive()
            if at_work or self._waiting_bytes < self._every_bytes:
                return
            self._waiting_bytes = 0
            self._thread = Thread(target=self._run, name="settling", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Wait until nothing runs. Raises what ``settle`` raised, once."""
        if self._thread:
            self._thread.join()
        error, self._error = self._error, None
        if error:
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.finish()
        except LakeError as found:
            if error is None or isinstance(error, Exception):
                raise found from error

    def _run(self) -> None:
        try:
            self._settle()
        except LakeError as error:
            self._error = error
