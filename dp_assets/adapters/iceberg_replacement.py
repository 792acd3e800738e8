"""Which files a replacement removes, and whether it has landed before. Reads, writes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import cast

import pyarrow as pa
from pyiceberg.conversions import from_bytes
from pyiceberg.expressions import (
    AlwaysTrue,
    BooleanExpression,
    EqualTo,
    IsNull,
    NotEqualTo,
    Or,
)
from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.types import DateType

from dp_assets.adapters.iceberg_commit import Change, surviving_rows
from dp_assets.adapters.iceberg_json import ancestors
from dp_assets.adapters.iceberg_state import TableState

ROOT_RUN, RUN, PARTITION, FINGERPRINT = "dp.root-run", "dp.run", "dp.partition", "dp.fingerprint"
OPERATION, BATCHES = "dp.operation", "dp.batches"
WHOLE_TABLE = "*"
KEEPS_CONTENT = "replace"
MERGED_FILES = 64  # files in a manifest up to which a commit to its partition rewrites it
EPOCH = date(1970, 1, 1).toordinal()


# PyIceberg's predicates take (column, literal); pydantic hides that from type checkers.
equal_to = cast("Callable[[str, str], BooleanExpression]", EqualTo)
not_equal_to = cast("Callable[[str, str], BooleanExpression]", NotEqualTo)
is_null = cast("Callable[[str], BooleanExpression]", IsNull)


@dataclass(frozen=True, slots=True)
class DayFilter:
    """The rows that a replacement takes out: one day of one date column."""

    column: str
    day: date

    @property
    def matching(self) -> BooleanExpression:
        return equal_to(self.column, self.day.isoformat())

    @property
    def surviving(self) -> BooleanExpression:
        return Or(not_equal_to(self.column, self.day.isoformat()), is_null(self.column))


def plan_replacement(
    state: TableState, rows: pa.Table, *, only: DayFilter | None, mark: Mapping[str, str]
) -> Change:
    """``rows`` in, every file that may hold replaced rows out; what survives is written again.

    A file shared with other days (merged by a compaction, or written by another engine) is
    rewritten without the replaced day, in the same commit. Small manifests of the same partition
    are merged on the way: a month of daily commits stays one manifest, and readers stay fast.
    """
    touched: dict[ManifestFile, frozenset[str]] = {}
    shared: set[str] = set()
    for manifest in state.data_manifests(only.matching if only else AlwaysTrue()):
        files = [entry.data_file for entry in state.entries(manifest)]
        hit = {f.file_path: _is_shared(state, f, only) for f in files if _may_match(state, f, only)}
        if hit or len(files) <= MERGED_FILES:
            touched[manifest] = frozenset(hit)
        shared |= {path for path, is_shared in hit.items() if is_shared}
    kept = surviving_rows(state, frozenset(shared), only.surviving) if only and shared else None
    return Change(rows=rows, properties=mark, touched=touched, kept=kept)


def landed(state: TableState, mark: Mapping[str, str]) -> int | None:
    """The snapshot of the same root run, partition and rows, if nothing touched them since.

    Commits to other partitions and rewrites that keep the content are passed over; the first
    commit to this partition decides, and so does any writer we do not know.
    """
    for snapshot in ancestors(state.raw):
        summary = snapshot.get("summary") or {}
        partition = summary.get(PARTITION, WHOLE_TABLE)
        elsewhere = WHOLE_TABLE not in (partition, mark[PARTITION]) and partition != mark[PARTITION]
        if elsewhere or summary.get("operation") == KEEPS_CONTENT:
            continue
        same = all(summary.get(k) == mark[k] for k in (ROOT_RUN, PARTITION, FINGERPRINT))
        return snapshot["snapshot-id"] if same else None
    return None


def _may_match(state: TableState, file: DataFile, only: DayFilter | None) -> bool:
    bounds = _bounds(state, file, only) if only else None
    return only is None or bounds is None or bounds[0] <= _epoch_day(only) <= bounds[1]


def _is_shared(state: TableState, file: DataFile, only: DayFilter | None) -> bool:
    """Whether the file may hold rows of other days, by its statistics."""
    if only is None:
        return False
    bounds = _bounds(state, file, only)
    nulls = (file.null_value_counts or {}).get(_field_id(state, only))
    return bounds is None or bounds[0] != bounds[1] or nulls != 0


def _bounds(state: TableState, file: DataFile, only: DayFilter) -> tuple[int, int] | None:
    """Lowest and highest day in the file, in days since 1970; None when not recorded."""
    field_id = _field_id(state, only)
    low = (file.lower_bounds or {}).get(field_id)
    high = (file.upper_bounds or {}).get(field_id)
    if low is None or high is None:
        return None
    return from_bytes(DateType(), low), from_bytes(DateType(), high)


def _field_id(state: TableState, only: DayFilter) -> int:
    return state.model.schema().find_field(only.column).field_id


def _epoch_day(only: DayFilter) -> int:
    return only.day.toordinal() - EPOCH
