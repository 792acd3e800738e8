"""What a manifest list says of the partitions in a manifest, from values as Avro stores them.

Source: Iceberg table specification, "Manifest Lists" (``field_summary``) and "Binary single-value
serialization".
"""

import math
import struct
from dataclasses import dataclass
from typing import Any

from dp_assets.adapters.recovery.avro_generic import Record

_PACKED = {"int": "<i", "long": "<q", "float": "<f", "double": "<d", "boolean": "<?"}


@dataclass(slots=True)
class FieldBounds:
    """Of one partition field, over the files added so far."""

    kind: str
    is_decimal: bool
    has_null: bool = False
    has_nan: bool = False
    lowest: Any = None
    highest: Any = None

    def add(self, value: Any) -> None:
        if value is None:
            self.has_null = True
        elif isinstance(value, float) and math.isnan(value):
            self.has_nan = True
        else:
            if self.lowest is None or self._order(value) < self._order(self.lowest):
                self.lowest = value
            if self.highest is None or self._order(value) > self._order(self.highest):
                self.highest = value

    def line(self) -> Record:
        """As the manifest list has it."""
        return {
            "contains_null": self.has_null,
            "contains_nan": self.has_nan,
            "lower_bound": self._single(self.lowest),
            "upper_bound": self._single(self.highest),
        }

    def _order(self, value: Any) -> Any:
        if self.is_decimal:
            return int.from_bytes(value, "big", signed=True)
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, float):
            return value, math.copysign(1, value)  # -0.0 is below 0.0
        return value

    def _single(self, value: Any) -> bytes | None:
        if value is None:
            return None
        if self.kind in _PACKED:
            return struct.pack(_PACKED[self.kind], value)
        if isinstance(value, str):
            return value.encode()
        if self.is_decimal:  # the fewest bytes that hold it
            number = int.from_bytes(value, "big", signed=True)
            bits = (number if number >= 0 else ~number).bit_length()
            return number.to_bytes(bits // 8 + 1, "big", signed=True)
        return bytes(value)


class PartitionBounds:
    """Of a manifest; ``schema`` is the Avro schema of its partitions."""

    def __init__(self, schema: Record) -> None:
        self._fields = {field["name"]: _bounds(field["type"]) for field in schema["fields"]}

    def add(self, partition: Record) -> None:
        for name, bounds in self._fields.items():
            bounds.add(partition[name])

    def lines(self) -> list[Record]:
        """In the order of the spec."""
        return [bounds.line() for bounds in self._fields.values()]


def _bounds(kind: Any) -> FieldBounds:
    if isinstance(kind, list):
        kind = next((branch for branch in kind if branch != "null"), "null")
    if isinstance(kind, dict):
        return FieldBounds(kind["type"], kind.get("logicalType") == "decimal")
    return FieldBounds(kind, is_decimal=False)
