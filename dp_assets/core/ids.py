"""Names of things in the lake."""

from dataclasses import dataclass
from typing import Self

from dp_assets.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True, order=True)
class TableId:
    """A table's namespace and name, written ``namespace.name``; a namespace may have dots."""

    namespace: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Split at the last dot. Raises ConfigurationError when either part is missing."""
        namespace, _, name = text.rpartition(".")
        if not (namespace and name):
            raise ConfigurationError(
                f"not a table name: {text!r}", hint="write it as namespace.table, e.g. raw.flights"
            )
        return cls(namespace, name)

    @property
    def identifier(self) -> tuple[str, ...]:
        """The form PyIceberg's catalogs take: one string per level."""
        return (*self.namespace.split("."), self.name)

    def __str__(self) -> str:
        return f"{self.namespace}.{self.name}"
