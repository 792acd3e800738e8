"""``python -m benchmarks.made_lake TABLES FILES BYTES yes|no``: a lakehouse of that size.

Where ``DP_CONFIG`` says. FILES and BYTES are those of one table; ``yes``: with position deletes.
"""

import sys

from benchmarks.made_table import TableWriter
from dp_assets.domains.lake.identity import DEMO
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from dp_assets.usecases.initialising import initialise

NAMESPACE = "sales"


def main(tables: int, files: int, size_bytes: int, *, deletes: bool) -> None:
    """Make it; ``files`` and ``size_bytes`` are those of one table."""
    settings = load_settings()
    initialise(settings, origin=DEMO)
    with opened(settings) as lake:
        lake.catalog.create_namespace(NAMESPACE)
        root = settings.warehouse.root.rstrip("/")
        for number in range(tables):
            name = f"table_{number:05d}"
            writer = TableWriter(f"{root}/{NAMESPACE}/{name}", seed=number + 1)
            pointer = writer.write(files=files, size_bytes=size_bytes, deletes=deletes)
            lake.catalog.register_table((NAMESPACE, name), pointer)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]), deletes=sys.argv[4] == "yes")
