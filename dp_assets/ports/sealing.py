"""Making bytes unreadable for others, and readable again."""

from abc import ABC, abstractmethod

from dp_assets.ports.object_store import Reader, Writer


class Sealing(ABC):
    """How a repository's private content is stored; one adapter stores it as it is."""

    @property
    @abstractmethod
    def encrypts(self) -> bool:
        """Whether stored bytes differ from the content."""

    @property
    @abstractmethod
    def can_open(self) -> bool:
        """Whether this process has a key to read with; a writer needs none."""

    @property
    @abstractmethod
    def can_name(self) -> bool:
        """Whether this process can tell the name of content; a reader need not."""

    @abstractmethod
    def seal(self, reader: Reader, writer: Writer) -> None:
        """Everything from ``reader``, sealed, to ``writer``; in bounded memory."""

    @abstractmethod
    def unseal(self, reader: Reader, writer: Writer) -> None:
        """The way back.

        Raises:
            ConfigurationError: no key was given, or none of the given ones fits.
            DamagedObjectError: the sealed bytes are damaged.
        """

    @abstractmethod
    def name_of(self, sha256: str) -> str:
        """The object name of content with that SHA-256 (hex): itself, or a keyed hash of it.

        Raises ConfigurationError when names are keyed and there is no naming key.
        """
