"""Rows that DuckDB asks for: all of them once, few at a time, and errors as they are."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from dp_assets.adapters.recovery.row_stream import streamed

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.large_string())])
ROWS, BATCHES = 20_000, 50
AT_ONCE = 4  # batches: two threads, each with one in its hands and one just asked for


def batch(number: int, text: pa.DataType | None = None) -> pa.RecordBatch:
    ids = range(number * ROWS, (number + 1) * ROWS)
    texts = pa.array([f"row {n}" for n in ids], text or pa.large_string())
    return pa.record_batch({"id": pa.array(ids, pa.int64()), "text": texts})


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": "2"}) as made:
        yield made


def ask(connection, batches, query):
    with streamed(batches, SCHEMA, to=connection, name="given"):
        return connection.execute(query).fetchall()


def test_every_row_is_read_once_whatever_type_its_text_came_in(connection):
    given = (batch(n, pa.string() if n % 2 else None) for n in range(3))
    found = ask(connection, given, "SELECT count(*), sum(id), count(DISTINCT text) FROM given")
    assert found == [(3 * ROWS, sum(range(3 * ROWS)), 3 * ROWS)]


def test_no_batches_are_no_rows(connection):
    assert ask(connection, [], "SELECT count(*), sum(id) FROM given") == [(0, None)]


def test_a_slow_query_is_waited_for(connection):
    """As a scanner of PyArrow's would not: it would hold all of these before they are wanted."""
    whole, held = batch(0), []

    def given() -> Iterator[pa.RecordBatch]:
        before = pa.total_allocated_bytes()
        for _ in range(BATCHES):
            yield whole.take(pa.array(range(ROWS)))  # a copy
            held.append(pa.total_allocated_bytes() - before)

    ask(connection, given(), "SELECT sum(hash(sha256(sha256(sha256(text))))) FROM given")
    assert len(held) == BATCHES
    assert max(held) <= AT_ONCE * whole.nbytes


@pytest.mark.parametrize("error", [ValueError("page 7 is damaged"), KeyboardInterrupt()])
def test_an_error_of_the_rows_is_raised_as_it_is(connection, error):
    def given() -> Iterator[pa.RecordBatch]:
        yield batch(0)
        raise error

    with pytest.raises(type(error)) as raised:
        ask(connection, given(), "SELECT sum(id) FROM given")
    assert raised.value is error


def test_a_column_that_is_not_what_was_said_is_an_error_of_the_rows(connection):
    other = pa.record_batch({"id": pa.array(["x"]), "text": pa.array(["y"])})
    with pytest.raises(pa.ArrowInvalid, match="x"):
        ask(connection, [other], "SELECT sum(id) FROM given")


def test_an_error_of_the_query_is_duckdbs_and_the_name_is_free_again(connection):
    with pytest.raises(duckdb.ConversionException):
        ask(connection, [batch(0)], "SELECT sum(CAST(text AS INTEGER)) FROM given")
    assert ask(connection, [batch(0)], "SELECT count(*) FROM given") == [(ROWS,)]
    with pytest.raises(duckdb.CatalogException):
        connection.execute("FROM given")
