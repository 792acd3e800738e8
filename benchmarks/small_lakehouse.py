"""``python -m benchmarks.small_lakehouse COUNT``: a lakehouse with that many tables of one row."""

import sys

import pyarrow as pa

from dp_assets.domains.lake.identity import DEMO
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from dp_assets.usecases.initialising import initialise


def main(count: int) -> None:
    """Make it where ``DP_STATE`` says."""
    initialise(load_settings(), origin=DEMO)
    rows = pa.table({"number": [1], "name": ["one"]})
    with opened() as lake:
        lake.catalog.create_namespace("sales")
        for number in range(count):
            lake.catalog.create_table(("sales", f"table_{number}"), rows.schema).append(rows)


if __name__ == "__main__":
    main(int(sys.argv[1]))
