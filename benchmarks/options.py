"""What a person may choose on the command line."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """Sizes and rounds.

    Attributes:
        warmups: unmeasured rounds of the recovery cases.
        days: of the pipeline case, from 2013-01-01 on.
        year: whether to measure 365 days too, once.
        tables: discovered tables of the definitions case.
        gb: bytes of the tables that are backed up, in 10**9.
        files: over how many files they are spread, one table after the other.
        recovered_files: the same, of the recovery-time table.
        catalog_tables: in the catalog that is dumped.
        many: tables of one file each, in the case that has as many.
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
    work: Path
    order: random.Random
