"""Who watches a backup, and what is told."""

from typing import Protocol


class BackupProgress(Protocol):
    """Told from many threads; never raises."""

    def expect(self, size_bytes: int) -> None:
        """So much more is going to be copied."""
        ...

    def advance(self, size_bytes: int) -> None:
        """So much was copied; a file that is taken again counts again."""
        ...

    def phase(self, text: str) -> None:
        """What is being done now, e.g. a table's name."""
        ...


class NobodyWatches:
    """Progress for programs."""

    def expect(self, size_bytes: int) -> None:
        """Not shown."""

    def advance(self, size_bytes: int) -> None:
        """Not shown."""

    def phase(self, text: str) -> None:
        """Not shown."""
