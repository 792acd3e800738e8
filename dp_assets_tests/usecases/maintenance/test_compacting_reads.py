"""A compaction of several groups reads each manifest and each list once, and not per group."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField

from dp_assets.core.ids import TableId
from dp_assets.core.units import MIB
from dp_assets.domains.maintenance.compaction import CompactionRule
from dp_assets.lakehouse import opened
from dp_assets.usecases.maintenance.compacting import compact, planned_compaction
from dp_assets_tests.adapters.real_lakehouse import make_lakehouse

TABLE = TableId("demo", "parts")
SCHEMA = Schema(
    NestedField(1, "part", LongType(), required=False),
    NestedField(2, "n", LongType(), required=False),
)
SPEC = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "part"))
PARTS, APPENDS = 3, 2


def test_each_manifest_is_read_once(tmp_path: Path):
    with opened(make_lakehouse(tmp_path, commits=1)) as lake:
        lake.catalog.create_namespace_if_not_exists(TABLE.namespace)
        properties = {"dp.adopted": "true"}
        table = lake.catalog.create_table(
            TABLE.identifier, SCHEMA, partition_spec=SPEC, properties=properties
        )
        for number in range(APPENDS):
            table.append(pa.table({"part": range(PARTS), "n": [number] * PARTS}))
        reads: Counter[str] = Counter()
        read = lake.files.read

        def counted(location: str) -> bytes:
            reads[location.rpartition("/")[2]] += 1
            return read(location)

        lake.files.read = counted
        planned = planned_compaction(lake, TABLE, CompactionRule(min_inputs=2))
        done = compact(lake, planned, memory_bytes=400 * MIB, run_id="run", on_group=lambda _: None)
        assert len(done.groups) == PARTS
    metadata = {name: n for name, n in reads.items() if name.endswith(".avro")}
    assert len(metadata) > 2 * PARTS
    assert set(metadata.values()) == {1}
