"""What a person may choose on the command line."""

import random
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """Sizes and rounds.

    Attributes:
        days: of the pipeline case, from 2013-01-01 on.
        year: whether to measure 365 days too, once.
        tables: discovered tables of the definitions case.
        work: folder for what the measured processes write.
        order: shuffles the sides within each round.
    """

    days: int
    rounds: int
    year: bool
    idle_seconds: int
    tables: int
    work: Path
    order: random.Random
