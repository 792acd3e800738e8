"""Thrift's compact protocol without a schema, as much of it as Parquet footers use.

A struct is a mapping of field id to (type, value), in the order of the ids; a list is its element
type and its values. What was read is written back byte for byte unless it is changed.

Source: Apache Thrift, "Thrift Compact protocol encoding".
"""

from dataclasses import dataclass
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
_BOOLEANS = (TRUE, FALSE)
_INTEGERS = (I16, I32, I64)
_LONG_LIST = 15
_DOUBLE_BYTES = 8

Struct = dict[int, tuple[int, Any]]


@dataclass(frozen=True, slots=True)
class Items:
    """The elements of a list or set."""

    kind: int
    values: list[Any]


@dataclass(slots=True)
class Reader:
    """Reads values one after the other; raises IndexError or ValueError where there is none."""

    content: bytes
    at: int = 0

    def struct(self) -> Struct:
        """Up to and including its end."""
        found: Struct = {}
        field_id = 0
        while header := self.field(field_id):
            field_id, kind = header
            found[field_id] = kind, None if kind in _BOOLEANS else self.value(kind)
        return found

    def field(self, last_id: int) -> tuple[int, int] | None:
        """Id and type of the next field; None at the end of the struct."""
        head = self._byte()
        if head == 0:
            return None
        step = head >> 4
        return (last_id + step if step else self._zigzag()), head & 15

    def value(self, kind: int) -> Any:
        """A value of a type that stands by itself."""
        if kind in _INTEGERS:
            return self._zigzag()
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind == STRUCT:
            return self.struct()
        if kind in (LIST, SET):
            return self._items()
        if kind == DOUBLE:
            return self._bytes(_DOUBLE_BYTES)
        if kind == BYTE:
            return self._byte()
        raise ValueError(f"type {kind} is not of a Parquet footer")

    def _items(self) -> Items:
        head = self._byte()
        count, kind = head >> 4, head & 15
        if count == _LONG_LIST:
            count = self._varint()
        if kind in _BOOLEANS:
            return Items(kind, list(self._bytes(count)))
        return Items(kind, [self.value(kind) for _ in range(count)])

    def _byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def _bytes(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self.content):
            raise ValueError("it ends in the middle")
        return self.content[self.at - count : self.at]

    def _varint(self) -> int:
        found = shift = 0
        while (byte := self._byte()) & 0x80:
            found |= (byte & 0x7F) << shift
            shift += 7
        return found | byte << shift

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


class Writer:
    """Writes what :class:`Reader` reads."""

    def __init__(self) -> None:
        self.content = bytearray()

    def struct(self, value: Struct) -> None:
        """All fields and the end."""
        last_id = 0
        for field_id, (kind, inner) in sorted(value.items()):
            step = field_id - last_id
            if 0 < step < 16:  # four bits
                self.content.append(step << 4 | kind)
            else:
                self.content.append(kind)
                self._zigzag(field_id)
            last_id = field_id
            if kind not in _BOOLEANS:
                self.value(kind, inner)
        self.content.append(0)

    def value(self, kind: int, value: Any) -> None:
        """A value of a type that stands by itself."""
        if kind in _INTEGERS:
            self._zigzag(value)
        elif kind == BINARY:
            self._varint(len(value))
            self.content += value
        elif kind == STRUCT:
            self.struct(value)
        elif kind in (LIST, SET):
            self._items(value)
        elif kind == DOUBLE:
            self.content += value
        else:
            self.content.append(value)

    def _items(self, items: Items) -> None:
        count = len(items.values)
        if count < _LONG_LIST:
            self.content.append(count << 4 | items.kind)
        else:
            self.content.append(_LONG_LIST << 4 | items.kind)
            self._varint(count)
        if items.kind in _BOOLEANS:
            self.content += bytes(items.values)
            return
        for value in items.values:
            self.value(items.kind, value)

    def _varint(self, value: int) -> None:
        while value > 0x7F:
            self.content.append(value & 0x7F | 0x80)
            value >>= 7
        self.content.append(value)

    def _zigzag(self, value: int) -> None:
        self._varint(value << 1 if value >= 0 else (-value << 1) - 1)
