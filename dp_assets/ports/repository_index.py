"""What this machine remembers of a repository. Never a fact: it can be made again at any time."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dp_assets.ports.recovery import ObjectRef

StoredObject = tuple[str, str, int]  # name, stored SHA-256, stored size


@dataclass(frozen=True, slots=True)
class FileKey:
    """A source file as it was when it was read: what makes it the same file next time."""

    table_uuid: str
    path: str
    size: int
    version: str


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A source file whose content is in the repository.

    Attributes:
        pending: it was stored by a run that has not committed; read the object before trusting it.
    """

    ref: ObjectRef
    pending: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """When an object was last read and compared, and whether it was damaged then."""

    at_ms: int
    damaged: bool


class RepositoryIndex(ABC):
    """Cache of one repository on one machine. Safe for many threads.

    An object is *known* when a committed point needs it and it is neither condemned nor damaged,
    or when this run stored it. Raises TransientError when another process keeps it locked.
    """

    @abstractmethod
    def stored(self, name: str) -> tuple[str, int] | None:
        """Stored SHA-256 and size of a known object."""

    @abstractmethod
    def added(self, name: str, stored_sha256: str, stored_size: int) -> None:
        """This run stored an object; a mark of damage ends."""

    @abstractmethod
    def unknown(self, names: Iterable[str]) -> frozenset[str]:
        """Those that :meth:`stored` does not know."""

    @abstractmethod
    def files(self, keys: Sequence[FileKey]) -> dict[FileKey, KnownFile]:
        """Those of ``keys`` whose content is there, with the object as it is stored now."""

    @abstractmethod
    def add_files(self, rows: Iterable[tuple[FileKey, ObjectRef]]) -> None:
        """Remember what was read and stored; an older version of a path is forgotten."""

    @abstractmethod
    def points(self) -> dict[int, str]:
        """The points whose objects are known, with what tells each from another of its number."""

    @abstractmethod
    def missing_lists(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those lists of references that were not added yet, each once."""

    @abstractmethod
    def add_list(self, name: str, objects: Iterable[StoredObject]) -> None:
        """What one list of references names."""

    @abstractmethod
    def add_point(
        self, number: int, *, mark: str, lists: Iterable[str], objects: Iterable[StoredObject]
    ) -> None:
        """A committed point: its lists, all added before, and its further objects.

        ``mark`` tells it from any other point that ever had its number.
        """

    @abstractmethod
    def forget_points(self, numbers: Iterable[int]) -> None:
        """Points that are no more, and everything that only they needed."""

    @abstractmethod
    def set_condemned(self, names: Iterable[str]) -> None:
        """All names that are condemned now."""

    @abstractmethod
    def set_checked(self, results: Mapping[str, Checked]) -> None:
        """Remember what a verification found."""

    @abstractmethod
    def checked(self, names: Iterable[str]) -> dict[str, Checked]:
        """When each was last read; a name that never was is left out."""

    @abstractmethod
    def damaged(self) -> frozenset[str]:
        """Every object found damaged or missing and not stored again since."""

    @abstractmethod
    def clear(self) -> None:
        """Forget everything."""

    @abstractmethod
    def close(self) -> None:
        """Write down what waits, and give the file back."""
