"""Files in the folders of a table, and those of them that nothing names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file as its store lists it.

    Attributes:
        path: below the folder that was listed, spelled as that was.
        size: bytes.
        modified_ms: Unix epoch, by the store's clock.
    """

    path: str
    size: int
    modified_ms: int


class Listing(Protocol):
    """Lists folders, wherever they are."""

    def __call__(self, folder: str, /) -> Iterator[ListedFile]:
        """Every file below ``folder``, each once, in bounded memory; none where there is none.

        Symbolic links below the folder are neither followed nor listed.

        Raises:
            TransientError: the store did not answer, at the beginning or half-way.
            PermanentError: it may not be listed, or the listing repeats itself.
        """
        ...


@dataclass(frozen=True, slots=True)
class Unheld:
    """What the last sweep of a table found and left: too young, or waiting for a person."""

    at_ms: int
    bytes: int
