"""Runs pandera over rows and keeps what it found exactly: which columns, which rows."""

# pandera is annotated only in part.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from collections.abc import Mapping

import polars as pl
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors
from pandera.polars import Column, DataFrameSchema

from dp_assets.core.errors import PermanentError
from dp_assets.domains.quality.contract import columns_of, not_null


def column_differences(schema: DataFrameSchema, frame: pl.DataFrame) -> Mapping[str, str]:
    """Columns that are missing, not declared or of another type -> how they differ.

    pandera decides, but names only the first column too many; so each is compared again here.
    """
    found = {n: "is missing" for n in schema.columns if n not in frame.columns}
    found |= {n: "is not declared" for n in frame.columns if n not in schema.columns}
    for name, column in schema.columns.items():
        declared, actual = column.dtype.type, frame.schema.get(name)
        if actual is not None and actual != declared:
            found[name] = f"is {actual}, declared {declared}"
    refusals = _validate(schema, frame.clear(), depth=ValidationDepth.SCHEMA_ONLY)
    if refusals and not found:
        raise _could_not_run(schema, "schema", str(refusals[0]))
    return found


def failing_rows(schema: DataFrameSchema, frame: pl.DataFrame) -> Mapping[str, pl.Series]:
    """Check -> a mask of the rows that break it, for every check that found some.

    Args:
        schema: may declare columns that ``frame`` lacks: what needs them is left out.
        frame: columns of the declared types only.

    Raises:
        PermanentError: a check raised, or pandera found what it should not be looking for.
    """
    errors = _validate(_limited(schema, frame), frame, depth=ValidationDepth.SCHEMA_AND_DATA)
    return dict(_mask(schema, error) for error in errors)


def _limited(schema: DataFrameSchema, frame: pl.DataFrame) -> DataFrameSchema:
    """The part of the schema that ``frame`` has the columns for."""
    columns: dict[str, Column] = {
        name: column for name, column in schema.columns.items() if name in frame.columns
    }
    checks = [c for c in schema.checks or () if set(columns_of(c)) <= set(columns)]
    return DataFrameSchema(columns, checks=checks, strict=True, coerce=False, name=schema.name)


def _validate(
    schema: DataFrameSchema, frame: pl.DataFrame, *, depth: ValidationDepth
) -> list[SchemaError]:
    # pandera can be turned off by environment variables, and then passes everything.
    with config_context(validation_enabled=True, validation_depth=depth):
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as found:
            return found.schema_errors
    return []


def _mask(schema: DataFrameSchema, error: SchemaError) -> tuple[str, pl.Series]:
    if error.reason_code is SchemaErrorReason.SERIES_CONTAINS_NULLS:
        name = not_null(str(error.schema.name))
    else:
        name = str(getattr(error.check, "name", error.check))
    countable = {SchemaErrorReason.SERIES_CONTAINS_NULLS, SchemaErrorReason.DATAFRAME_CHECK}
    if error.reason_code not in countable or not isinstance(error.check_output, pl.DataFrame):
        raise _could_not_run(schema, name, str(error))
    return name, ~error.check_output.to_series()


def _could_not_run(schema: DataFrameSchema, check: str, reason: str) -> PermanentError:
    first_line = reason.strip().splitlines()[0]
    return PermanentError(
        f"check {check} of {schema.name} could not run: {first_line}",
        hint="correct the contract; a check that cannot run is not a pass",
    )
