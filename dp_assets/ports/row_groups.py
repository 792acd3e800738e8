"""What the footers of Parquet files say of whether their row groups may be taken over unread."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dp_assets.ports.compaction import Group


@dataclass(frozen=True, slots=True)
class TableWants:
    """What a table asks of its new files.

    Attributes:
        format_version: from 3 on rows have ids, which depend on the file that they are in.
        is_sorted: there is a sort order to keep.
        codec: of its Parquet files, in capitals.
    """

    format_version: int
    is_sorted: bool
    codec: str


@dataclass(frozen=True, slots=True)
class FooterFacts:
    """The footer of one data file.

    Attributes:
        alike: the same in files whose row groups may stand in one file: format version, schema
            with field ids, order of columns, and the writer, by which readers judge statistics.
        is_current: the columns are those of the table now: ids, names, types, order.
        codecs: of all column chunks, in capitals.
        row_group_bytes: compressed, of each row group.
        is_whole: nothing in it is encrypted or kept in another file.
    """

    path: str
    alike: bytes
    is_current: bool
    codecs: frozenset[str]
    row_group_bytes: tuple[int, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class RowGroupRule:
    """Says in two steps why row groups are not taken over; "" where they may be.

    Attributes:
        by_plan: asked first; reads nothing.
        by_footers: asked of all inputs of a group.
    """

    by_plan: Callable[[Group, TableWants], str]
    by_footers: Callable[[Sequence[FooterFacts], TableWants], str]
