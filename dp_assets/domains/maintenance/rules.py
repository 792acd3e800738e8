"""What may be said of a table's maintenance: in `lakehouse.yaml` and as table properties alike.

Every key may be left out: then a less specific rule, the workload or a default says it.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from dp_assets.core.model_keys import Words, allowed_at, nearest_key
from dp_assets.core.yaml_model import RefusedValueError
from dp_assets.domains.maintenance import conditions, windows
from dp_assets.ports.maintenance import Operation

MAX_TARGET_MIB = 4096


def _parsable(parse: Callable[[str], object]) -> AfterValidator:
    def check(text: str) -> str:
        try:
            parse(text)
        except ValueError:
            raise RefusedValueError from None
        return text

    return AfterValidator(check)


def _target(given: object) -> int | Literal["auto"]:
    if given == "auto":
        return "auto"
    if not str(given).isdecimal() or not 1 <= int(str(given)) <= MAX_TARGET_MIB:
        raise RefusedValueError
    return int(str(given))


ConditionText = Annotated[str, _parsable(conditions.parse_condition), Words(conditions.EXAMPLE)]
WindowText = Annotated[str, _parsable(windows.parse_window), Words(windows.EXAMPLE)]
TargetMib = Annotated[
    int | Literal["auto"],
    PlainValidator(_target),
    Words(f"a whole number of MiB from 1 to {MAX_TARGET_MIB}, or auto: by size of the partition"),
]


class Rules(BaseModel):
    """Frozen, without unknown keys; shown with what was said only."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False
    )

    @model_serializer(mode="wrap")
    def _what_was_said(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in dump(self).items() if value not in (None, {})}


class OperationRules(Rules):
    """What every operation has."""

    enabled: bool | None = Field(
        default=None, description="Whether it is done at all; default: true."
    )
    when: ConditionText | None = Field(
        default=None, description="What is enough to begin; limits joined by and, or."
    )
    window: WindowText | None = Field(
        default=None, description="When it may begin, UTC; default: always."
    )
    min_interval_hours: int | None = Field(
        default=None, ge=0, le=8760, description="Shortest time from the end of one to the next."
    )
    timeout_minutes: int | None = Field(
        default=None, ge=1, le=10_080, description="Longest that it may take; default: 120."
    )
    memory_mib: int | None = Field(
        default=None, ge=64, le=1_048_576, description="Memory that it may use; default: 400."
    )


class ExpiryRules(OperationRules):
    """Old snapshots; one goes when it is too old and enough newer ones remain."""

    keep_days: int | None = Field(
        default=None, ge=0, le=36_500, description="Days that every snapshot is kept; default: 7."
    )
    keep_snapshots: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Newest snapshots kept at any age; default: 5 or more, by workload.",
    )


class CompactionRules(OperationRules):
    """Small files and deletes."""

    target_mib: TargetMib | None = Field(
        default=None, description="Size of a data file; default: by workload, 128 to 512."
    )
    min_inputs: int | None = Field(
        default=None,
        ge=2,
        le=1_000_000,
        description="Small files of a partition that are worth rewriting; default: 5.",
    )


class OrphanRules(OperationRules):
    """Files that nothing names."""

    older_than_hours: int | None = Field(
        default=None,
        ge=24,
        le=8760,
        description="Age of a file that no writer can still be at work on; default: 72.",
    )


class TableRules(Rules):
    """Everything that can be said of a table."""

    enabled: bool | None = Field(
        default=None, description="false: no operation at all; default: true."
    )
    expiry: ExpiryRules = ExpiryRules()
    manifests: OperationRules = OperationRules()
    compaction: CompactionRules = CompactionRules()
    orphans: OrphanRules = OrphanRules()

    def of(self, operation: Operation) -> OperationRules:
        """What is said of one operation."""
        match operation:
            case Operation.EXPIRY:
                return self.expiry
            case Operation.MANIFESTS:
                return self.manifests
            case Operation.COMPACTION:
                return self.compaction
            case Operation.ORPHANS:
                return self.orphans


def checked(model: type[Rules], key: str, text: str) -> object:
    """The value that ``text`` is for ``key`` of ``model``.

    Raises ValueError, saying what is wrong with the key or the value.
    """
    if key not in model.model_fields:
        near = nearest_key(model, (key,))
        raise ValueError(f"unknown key; did you mean {near}?" if near else "unknown key")
    try:
        return getattr(model.model_validate({key: text}), key)
    except ValidationError:
        raise ValueError(f"{text!r} is not {allowed_at(model, (key,)).text}") from None
