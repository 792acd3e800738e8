"""`dp query` on real tables: what it reads, what it refuses, and that every value is exact."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from pyiceberg.types import LongType

from dp_assets.adapters import duckdb_query
from dp_assets.adapters.local_files import local_path
from dp_assets.core.errors import PermanentError
from dp_assets.domains.quality.results import DATA_QUALITY_RESULTS
from dp_assets_tests.cli.things import elsewhere, make_things, things


@pytest.fixture
def shop(lake):
    """``shop.things``; its commits' snapshot ids and the times at which they became current."""
    return make_things(lake.catalog)


def one(done) -> str:
    """The only value of a CSV answer."""
    assert done.code == 0, done.err
    header, value = done.out.splitlines()
    assert header
    return value


def test_a_table_is_read_with_deletes_applied(dp, shop):
    assert one(dp("query", "SELECT count(*) FROM shop.things", "--format", "csv")) == "24"


def test_people_see_columns_and_the_number_of_rows(dp, shop):
    lines = dp("query", "SELECT id, name FROM shop.things ORDER BY id LIMIT 2").out.splitlines()
    assert lines == ["id  name", " 0  thing 0", " 1  thing 1", "", "2 rows"]


def test_sql_comes_from_stdin(dp, shop, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT max(id) AS m\nFROM shop.things -- end"))
    assert one(dp("query", "-", "--format", "csv")) == "24"


def test_only_the_named_tables_are_opened(dp, lake, shop):
    """Another table is damaged; a query that does not name it does not notice."""
    broken = make_things(lake.catalog, "shop", "broken")
    local_path(broken.metadata_location).write_bytes(b"")
    assert one(dp("query", "SELECT count(*) FROM shop.things", "--format", "csv")) == "24"
    done = dp("query", "SELECT count(*) FROM shop.broken")
    assert done.code == 3
    assert "shop.broken" in done.err


@pytest.mark.parametrize(
    "sql",
    [
        "WITH t AS (FROM shop.things) SELECT count(*) FROM t",
        "SELECT count(*) FROM Shop.THINGS",
        'SELECT count(*) FROM "shop"."things"',
        "SELECT count(*) FROM shop.things a JOIN shop.things b USING (id)",
        "SELECT (SELECT count(*) FROM shop.things)",
        "SELECT count(*) FROM shop.things WHERE EXISTS (FROM shop.things)",
    ],
)
def test_tables_are_found_wherever_sql_names_them(dp, shop, sql):
    assert one(dp("query", sql, "--format", "csv")) == "24"


def test_a_namespace_of_several_levels_is_quoted(dp, lake):
    make_things(lake.catalog, "a.b")
    assert one(dp("query", 'SELECT count(*) FROM "a.b".things', "--format", "csv")) == "24"


@pytest.mark.parametrize(
    "sql", ["DESCRIBE shop.things", "SUMMARIZE shop.things", "SHOW shop.things"]
)
def test_statements_that_describe_are_allowed(dp, shop, sql):
    rows = dp("query", sql, "--format", "json").json
    assert [row["column_name"] for row in rows] == ["id", "at", "name"]


def test_explain_shows_the_plan_as_it_is(dp, shop):
    done = dp("query", "EXPLAIN SELECT id FROM shop.things")
    assert done.code == 0
    assert "ICEBERG_SCAN" in done.out
    assert "\\n" not in done.out


def test_rows_that_wait_in_the_spool_are_shown(dp, lake):
    lake.spool.add(
        DATA_QUALITY_RESULTS.table,
        [
            {
                "check_time": "2013-01-02T03:04:05Z",
                "table": "raw.flights",
                "contract": "raw.flights",
                "check": "key_unique",
                "severity": "ERROR",
                "passed": False,
                "failing_rows": 3,
                "total_rows": 10,
                "observed": "3",
                "allowed": "0",
                "issues": "[]",
                "run_id": "run-1",
            }
        ],
    )
    [row] = dp("query", "FROM ops.data_quality_results", "--format", "json").json
    assert row["check"] == "key_unique"
    assert row["passed"] is False
    assert row["check_time"] == "2013-01-02T03:04:05Z"


def test_an_old_snapshot_is_read_with_its_own_columns(dp, lake, shop):
    before = shop.snapshots()[0].snapshot_id
    with shop.update_schema() as change:
        change.rename_column("name", "title")
        change.add_column("price", LongType())
    now = dp("query", "FROM shop.things LIMIT 1", "--format", "csv").out.splitlines()[0]
    then = dp("query", "FROM shop.things", "--as-of", str(before), "--format", "csv").out
    assert now == "id,at,title,price"
    assert then.splitlines()[0] == "id,at,name"
    assert len(then.splitlines()) == 21


def moments(table):
    """The milliseconds at which each snapshot became current."""
    return [(entry.snapshot_id, entry.timestamp_ms) for entry in table.metadata.snapshot_log]


@pytest.mark.parametrize(("commit", "rows"), [(0, "20"), (1, "25"), (-1, "24")])
def test_a_moment_reads_what_was_current_then(dp, shop, commit, rows):
    _, at_ms = moments(shop)[commit]
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    sql = "SELECT count(*) FROM shop.things"
    for written in (
        moment.replace(tzinfo=None).isoformat(),
        moment.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat(),
    ):
        assert one(dp("query", sql, "--as-of", written, "--format", "csv")) == rows


def test_a_moment_before_the_first_commit_is_refused(dp, shop):
    done = dp("query", "FROM shop.things", "--as-of", "2001-01-01")
    assert done.code == 2
    assert (
        "shop.things has no snapshot of 2001-01-01T00:00:00Z: its first commit was at" in done.err
    )


def test_a_snapshot_id_applies_to_the_table_that_has_it(dp, lake, shop):
    make_things(lake.catalog, "shop", "others")
    first = str(shop.snapshots()[0].snapshot_id)
    sql = "SELECT (SELECT count(*) FROM shop.things) || '/' || (SELECT count(*) FROM shop.others) c"
    assert one(dp("query", sql, "--as-of", first, "--format", "csv")) == "20/24"


def test_a_snapshot_of_no_table_names_the_candidates(dp, shop):
    done = dp("query", "FROM shop.things", "--as-of", "5")
    assert done.code == 2
    assert "no table of the query has snapshot 5" in done.err
    assert str(shop.snapshots()[-1].snapshot_id) in done.err


def test_neither_snapshot_nor_time_is_refused(dp, shop):
    done = dp("query", "FROM shop.things", "--as-of", "yesterday")
    assert done.code == 2
    assert "neither a snapshot id nor a time" in done.err


def test_a_registered_table_outside_of_the_warehouse_is_read(dp, lake, tmp_path):
    table = elsewhere(tmp_path / "elsewhere")
    assert dp("register", table.metadata_location, "shop.theirs").code == 0
    assert one(dp("query", "SELECT count(*) FROM shop.theirs", "--format", "csv")) == "24"
    first = str(table.snapshots()[0].snapshot_id)
    sql = "SELECT count(*) FROM shop.theirs"
    assert one(dp("query", sql, "--as-of", first, "--format", "csv")) == "20"


EXACT = """
SELECT 12345678901234567890.123456789::DECIMAL(38, 9) AS exact, 0.1::DOUBLE AS tenth,
  0.1::FLOAT AS single, 9223372036854775807 AS large, 'NaN'::DOUBLE AS nan, '-inf'::DOUBLE AS inf,
  DATE '2013-03-10' AS day, TIMESTAMPTZ '2013-03-10 03:00:00.5-04' AS at,
  TIMESTAMP '2013-01-02' AS t,
  'a "b", c' AS text, '' AS nothing, NULL AS missing, true AS yes, '\\x00\\xFF'::BLOB AS bytes,
  [1.5, 'NaN'::DOUBLE] AS list, {'k': 'Infinity', 'n': NULL} AS struct, 1 AS twice, 2 AS twice
"""


def test_json_is_exact(dp, lake):
    done = dp("query", EXACT, "--format", "json")
    [row] = json.loads(done.out, parse_float=Decimal)
    assert row == {
        "exact": Decimal("12345678901234567890.123456789"),
        "tenth": Decimal("0.1"),
        "single": Decimal("0.1"),
        "large": 9223372036854775807,
        "nan": "NaN",
        "inf": "-Infinity",
        "day": "2013-03-10",
        "at": "2013-03-10T07:00:00.5Z",
        "t": "2013-01-02T00:00:00",
        "text": 'a "b", c',
        "nothing": "",
        "missing": None,
        "yes": True,
        "bytes": "00ff",
        "list": [Decimal("1.5"), "NaN"],
        "struct": {"k": "Infinity", "n": None},
        "twice": 1,
        "twice_1": 2,
    }


def test_csv_is_exact_and_tells_null_from_empty(dp, lake):
    done = dp("query", EXACT, "--format", "csv")
    [header, values] = csv.reader(io.StringIO(done.out))
    row = dict(zip(header, values, strict=True))
    assert row["exact"] == "12345678901234567890.123456789"
    assert row["nan"] == "NaN"
    assert row["at"] == "2013-03-10T07:00:00.5Z"
    assert row["text"] == 'a "b", c'
    assert ',"",,true,' in done.out


def test_no_rows_are_valid_json_and_a_csv_header(dp, shop):
    sql = "SELECT id, name FROM shop.things WHERE false"
    assert dp("query", sql, "--format", "json").json == []
    assert dp("query", sql, "--format", "csv").out == "id,name\n"
    assert dp("query", sql).out.splitlines()[-1] == "0 rows"


def test_a_file_is_written_whole_or_not_at_all(dp, shop, home):
    (home / "out.json").write_text("before")
    sql = "SELECT CASE WHEN i = 99999 THEN 'x' ELSE '1' END::INTEGER FROM range(100000) t(i)"
    assert dp("query", sql, "--output", "out.json").code == 2
    assert (home / "out.json").read_text() == "before"
    assert dp("query", "SELECT id FROM shop.things", "--output", "out.json").code == 0
    assert len(json.loads((home / "out.json").read_text())) == 24
    assert dp("query", "SELECT id FROM shop.things", "--output", "out.csv").code == 0
    assert (home / "out.csv").read_text().startswith("id\n")
    assert sorted(p.name for p in home.iterdir()) == [".lakehouse", "out.csv", "out.json"]


def test_a_file_that_cannot_be_written_is_named(dp, shop, home):
    done = dp("query", "SELECT 1", "--output", f"{home}/no/out.csv")
    assert done.code == 2
    assert f"write {home}/no/out.csv: No such file or directory" in done.err


def test_many_rows_are_counted_and_not_all_shown(dp, lake):
    lines = dp("query", "SELECT i FROM range(100000) t(i)").out.splitlines()
    assert lines[-1] == "100,000 rows, 1,000 shown: --format csv or json has all"
    assert len(lines) == 1_003
    assert dp("query", "SELECT i FROM range(3000) t(i)", "--format", "csv").out.count("\n") == 3_001


def test_a_table_without_commits_is_empty(dp, lake):
    lake.catalog.create_namespace("shop")
    lake.catalog.create_table(("shop", "empty"), things(0, 0).schema)
    assert one(dp("query", "SELECT count(*) FROM shop.empty", "--format", "csv")) == "0"
    done = dp("query", "FROM shop.empty", "--as-of", "2013-01-01")
    assert done.code == 2
    assert "it has none at all" in done.err


def test_tables_that_differ_in_case_only_are_not_mixed_up(dp, lake, shop):
    lake.catalog.create_table(("shop", "Things"), pa.schema([pa.field("other", pa.int64())]))
    assert one(dp("query", "SELECT count(*) FROM shop.things", "--format", "csv")) == "24"
    assert one(dp("query", 'SELECT count(*) FROM shop."Things"', "--format", "csv")) == "0"
    done = dp("query", 'FROM shop.things, shop."Things"')
    assert done.code == 2
    assert "differ in case only" in done.err


def test_a_query_that_only_says_it_was_interrupted_is_asked_for_the_reason(dp, shop, monkeypatch):
    def stopped(_reader):
        raise PermanentError("INTERRUPT Error: Interrupted!", hint="")

    monkeypatch.setattr(duckdb_query, "_next", stopped)
    done = dp("query", "SELECT CASE WHEN i = 9 THEN 'x' ELSE '1' END::INTEGER FROM range(10) t(i)")
    assert (done.code, "Could not convert string 'x'" in done.err) == (2, True)
    assert dp("query", "SELECT 1").code == 3
