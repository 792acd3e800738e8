"""What a person may choose on the command line."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """Sizes and rounds.

    Attributes:
        warmups: unmeasured rounds before the measured ones.
        days: of the pipeline case, from 2013-01-01 on.
        year: whether to measure 365 days too, once.
        tables: discovered tables of the definitions case.
        gb: bytes of the tables that are backed up, in 10**9.
        files: over how many files they are spread, one table after the other.
        recovered_files: the same, of the recovery-time table.
        catalog_tables: in the catalog that is dumped.
        many: tables of one file each, in the case that has as many.
        lineitem_files: of 15,000 rows, in the table that is compacted; 400 are TPC-H's SF1.
        sf10: whether to measure the memory of compacting 4,000 as well, once.
        commits: in the history of the tables of the commit-cost and reachability cases.
        work: folder for what the measured processes write.
        order: shuffles the sides within each round.
    """

    days: int
    rounds: int
    warmups: int
    year: bool
    idle_seconds: int
    tables: int
    gb: float
    files: Sequence[int]
    recovered_files: Sequence[int]
    catalog_tables: int
    many: int
    lineitem_files: int
    sf10: bool
    commits: int
    work: Path
    order: random.Random
