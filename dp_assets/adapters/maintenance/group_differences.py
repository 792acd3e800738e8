"""What new files say and hold that the files they replace did not, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.conversions import from_bytes
from pyiceberg.types import PrimitiveType

from dp_assets.core.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyiceberg.schema import Schema
    from pyiceberg.types import NestedField

    from dp_assets.adapters.maintenance.column_bounds import Bounds
    from dp_assets.adapters.maintenance.file_statistics import MeasuredFile
    from dp_assets.adapters.recovery.duckdb_row_hash import RowHashes
    from dp_assets.ports.compaction import Group

_CONTENT = "the content hash"


class OtherContentError(PermanentError):
    """As many rows, nulls and the like as before; values are others."""


def different(group: Group, what: Sequence[str]) -> PermanentError:
    """The error for new files that are not what they replace."""
    kind = OtherContentError if what == [_CONTENT] else PermanentError
    return kind(
        f"{len(group.inputs)} files of {group.words or 'the table'}, {group.inputs[0].path} first: "
        f"what was written differs: {'; '.join(what)}",
        hint="nothing was changed, the new files are gone; 'dp doctor' looks for damage",
    )


def of_rows(source: RowHashes, result: RowHashes, schema: Schema) -> Iterator[str]:
    """What two readings of the same rows do not agree on."""
    if source.rows != result.rows:
        yield f"{source.rows} rows before, {result.rows} after"
    for field, before, after in zip(schema.fields, source.nulls, result.nulls, strict=True):
        if before != after:
            yield f"{before} rows without {field.name} before, {after} after"
    if source.total != result.total:
        yield _CONTENT


def of_statistics(
    name: str, file: MeasuredFile, columns: Iterable[tuple[NestedField, Bounds]]
) -> Iterator[str]:
    """What in the statistics of a file its data contradicts."""
    said = file.statistics
    for field, found in columns:
        field_id, kind = field.field_id, field.field_type
        if said.value_counts.get(field_id, file.records) != file.records:
            yield f"{name} counts other values of {field.name} than rows"
        if said.null_counts.get(field_id, found.nulls) != found.nulls:
            yield f"{name} counts {said.null_counts[field_id]} nulls of {field.name}"
        if said.nan_counts.get(field_id, found.nans) != found.nans:
            yield f"{name} counts {said.nan_counts[field_id]} NaN of {field.name}"
        if not isinstance(kind, PrimitiveType) or found.least is None:
            continue
        lower, upper = said.lower.get(field_id), said.upper.get(field_id)
        if lower is not None and from_bytes(kind, lower) > found.least:
            yield f"{name} has values of {field.name} below its lower bound"
        if upper is not None and from_bytes(kind, upper) < found.greatest:
            yield f"{name} has values of {field.name} above its upper bound"
