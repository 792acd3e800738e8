"""Rows of the types and shape of TPC-H's lineitem; values follow from a seed and row numbers.

Made by DuckDB's plain SQL: its ``tpch`` extension would have to be downloaded.
"""

import duckdb
import pyarrow as pa
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.types import (
    DateType,
    DecimalType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
)

SEED = 19940101
_MONEY = DecimalType(15, 2)
_COLUMNS: tuple[tuple[str, IcebergType, str], ...] = (
    ("l_orderkey", LongType(), "i // 4 + 1"),
    ("l_partkey", LongType(), "h1 % 200000 + 1"),
    ("l_suppkey", LongType(), "(h1 >> 20) % 10000 + 1"),
    ("l_linenumber", IntegerType(), "i % 4 + 1"),
    ("l_quantity", _MONEY, "h2 % 50 + 1"),
    ("l_extendedprice", _MONEY, "(h2 >> 8) % 10000000 / 100 + 900"),
    ("l_discount", _MONEY, "(h2 >> 40) % 11 / 100"),
    ("l_tax", _MONEY, "(h2 >> 48) % 9 / 100"),
    ("l_returnflag", StringType(), "['A', 'N', 'R'][h3 % 3 + 1]"),
    ("l_linestatus", StringType(), "['F', 'O'][(h3 >> 4) % 2 + 1]"),
    ("l_shipdate", DateType(), "shipped"),
    ("l_commitdate", DateType(), "shipped + CAST((h3 >> 8) % 120 AS INTEGER) - 60"),
    ("l_receiptdate", DateType(), "shipped + CAST((h3 >> 16) % 30 AS INTEGER)"),
    ("l_shipinstruct", StringType(), "instruct[(h3 >> 24) % 4 + 1]"),
    ("l_shipmode", StringType(), "modes[(h3 >> 28) % 7 + 1]"),
    (
        "l_comment",
        StringType(),
        "array_to_string(list_transform(words, lambda k: w[(h4 >> (6 * k)) % 60 + 1]), ' ')",
    ),
)
SCHEMA = Schema(
    *(NestedField(n, name, kind) for n, (name, kind, _) in enumerate(_COLUMNS, start=1))
)
_WORDS = """\
about above according accounts after against along among around asymptotes blithely bold
braids carefully courts daringly deposits detect dolphins doze dugouts engage evenly
express final fluffily foxes furiously gifts haggle hockey ideas instructions integrate
ironic kindle nag notornis packages patterns pending pinto platelets quickly quietly
realms regular requests ruthlessly sauternes sentiments silent slyly special theodolites
thin unusual waters wake warthogs"""
_SELECTED = ", ".join(
    f"CAST({value} AS {{{place}}}) AS {name}" for place, (name, _, value) in enumerate(_COLUMNS)
)
_QUERY = f"""\
SELECT {_SELECTED}
FROM (
  SELECT i, {", ".join(f"CAST(hash(i, $seed, {n}) >> 1 AS BIGINT) AS h{n}" for n in range(1, 7))},
         string_split($words, ' ') AS w,
         range(2 + h5 % 5) AS words, DATE '1992-01-02' + CAST(h6 % 2500 AS INTEGER) AS shipped,
         ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'] AS instruct,
         ['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'] AS modes
  FROM range($start, $stop) AS t(i))
"""


def rows(start: int, stop: int) -> pa.Table:
    """Lineitem from one row number up to another."""
    names = [_sql_type(kind) for _, kind, _ in _COLUMNS]
    words = " ".join(_WORDS.split())
    with duckdb.connect(config={"threads": "2"}) as connection:
        found = connection.execute(
            _QUERY.format(*names), {"seed": SEED, "start": start, "stop": stop, "words": words}
        ).to_arrow_table()
    return found.cast(schema_to_pyarrow(SCHEMA))


def _sql_type(kind: IcebergType) -> str:
    if isinstance(kind, DecimalType):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return {LongType: "BIGINT", IntegerType: "INTEGER", DateType: "DATE", StringType: "VARCHAR"}[
        type(kind)
    ]
