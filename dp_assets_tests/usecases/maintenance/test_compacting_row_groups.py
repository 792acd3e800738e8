"""A compaction takes large row groups over as they are, and what it commits is proven."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dp_assets.adapters.local_files import local_path
from dp_assets.core.ids import TableId
from dp_assets.core.units import MIB
from dp_assets.domains.maintenance.compaction import CompactionRule
from dp_assets.lakehouse import opened
from dp_assets.usecases.maintenance.compacting import compact, planned_compaction
from dp_assets_tests.adapters.real_lakehouse import make_lakehouse

TABLE = TableId("demo", "large")
ROWS, COLUMNS = 220_000, 10  # 17 MB that no codec makes smaller
SEED = 3


def test_large_row_groups_are_taken_over(tmp_path: Path):
    with opened(make_lakehouse(tmp_path, commits=1)) as lake:
        lake.catalog.create_namespace_if_not_exists(TABLE.namespace)
        rows = [random_rows(SEED + number) for number in range(2)]
        table = lake.catalog.create_table(
            TABLE.identifier, rows[0].schema, properties={"dp.adopted": "true"}
        )
        for one in rows:
            table.append(one)
        planned = planned_compaction(lake, TABLE, CompactionRule(min_inputs=2))
        done = compact(lake, planned, memory_bytes=400 * MIB, run_id="run", on_group=lambda _: None)
        [[file]] = [group.written for group in done.groups]
        path = local_path(file.path)
        assert path
        footer = pq.read_metadata(path)
        # A rewrite would have made smaller row groups, and said that it was DuckDB.
        assert [footer.row_group(place).num_rows for place in range(2)] == [ROWS, ROWS]
        assert "parquet-cpp-arrow" in footer.created_by
        found = lake.catalog.load_table(TABLE.identifier).scan().to_arrow()
        assert totals(found) == totals(pa.concat_tables(rows))


def random_rows(seed: int) -> pa.Table:
    numbers = np.random.default_rng(seed).integers(0, 2**62, (COLUMNS, ROWS))
    return pa.table({f"c{place}": column for place, column in enumerate(numbers)})


def totals(rows: pa.Table) -> list[int]:
    return [pc.sum(pc.shift_right(column, 20)).as_py() for column in rows.columns]
