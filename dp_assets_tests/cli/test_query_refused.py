"""What `dp query` refuses, in whose words, and that nothing was changed or given away by it."""

import pytest

from dp_assets.adapters.local_files import local_path
from dp_assets_tests.cli.things import make_things

COUNT = "SELECT count(*) FROM shop.things"


@pytest.fixture
def shop(lake):
    return make_things(lake.catalog)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE x AS SELECT 1",
        "DELETE FROM shop.things",
        "INSERT INTO shop.things SELECT 1",
        "COPY (SELECT 1) TO 'x.csv'",
        "SET memory_limit = '9GB'",
        "ATTACH 'x.db'",
        "INSTALL httpfs",
        "SELECT 1; SELECT 2",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv'",
        "",
    ],
)
def test_what_does_not_read_is_refused(dp, shop, home, sql):
    done = dp("query", sql)
    assert done.code == 2
    assert "dp query runs one statement that reads" in done.err
    assert not list(home.glob("x*"))
    assert dp("query", COUNT, "--format", "csv").out.split() == ["count_star()", "24"]


def test_a_query_cannot_write_into_the_warehouse_through_explain(dp, lake, shop):
    inside = local_path(lake.settings.warehouse.root) / "x.parquet"
    for comment in ("", "/* a */ ", "-- a\n"):
        done = dp("query", f"{comment}EXPLAIN ANALYZE COPY (SELECT 1) TO '{inside}'")
        assert done.code == 2
    assert not inside.exists()


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_text('{home}/secret.txt')",
        "FROM read_csv('{home}/secret.txt')",
        "FROM '{home}/secret.csv'",
        "FROM glob('{home}/*')",
        "FROM read_text('{home}/.lakehouse/warehouse/../../secret.txt')",
    ],
)
def test_other_files_are_not_opened(dp, shop, home, sql):
    for name in ("secret.txt", "secret.csv"):
        (home / name).write_text("hunter2\n")
    done = dp("query", sql.format(home=home))
    assert done.code == 2
    assert "hunter2" not in done.out


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT count(*) FROM shop.thing", "did you mean shop.things?"),
        ("SELECT count(*) FROM things", "did you mean shop.things?"),
        ("SELECT nam FROM shop.things", "LINE 1: SELECT nam FROM shop.things"),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT CAST('x' AS INTEGER)", "Could not convert string 'x' to INT32"),
        ("SELECT id::tinyint + 120 FROM shop.things", "INT8"),
        ("FROM a.b.things", "there is no table a.b.things"),
    ],
)
def test_mistakes_in_sql_are_bad_usage_in_duckdbs_words(dp, shop, sql, said):
    done = dp("query", sql)
    assert done.code == 2
    assert said in done.err
    assert "#1" not in done.err


def test_a_data_file_that_is_gone_is_no_mistake_of_the_person(dp, shop):
    [task, *_] = shop.scan().plan_files()
    local_path(task.file.file_path).unlink()
    done = dp("query", "SELECT sum(id) FROM shop.things")
    assert done.code == 3
    assert "dp doctor" in done.err
