"""A process of its own that commits to a SQL catalog until it is killed.

Argument: the database's address. Each commit moves every pointer to the same next version, and
adds a table and takes it away again in another commit.
"""

import os
import sys

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

MOVE = (
    "UPDATE iceberg_tables SET metadata_location = 'file:///wh/' || table_name || '/{}'"
    " WHERE iceberg_type = 'TABLE'"
)
ADD = (
    "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location,"
    " iceberg_type) SELECT 'lake', 'raw', 'new{0}', max(metadata_location), 'TABLE'"
    " FROM iceberg_tables WHERE iceberg_type = 'TABLE' AND table_name <> 'new{0}'"
)
DROP = "DELETE FROM iceberg_tables WHERE table_name = 'new{}'"


def done(engine: Engine, statement: str) -> bool:
    """False when it was locked for too long, a deadlock, or not serializable."""
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    except OperationalError:
        return False
    return True


def main(uri: str) -> None:
    # Else a table could be added with a version that another process has just moved on from.
    engine, me = create_engine(uri, isolation_level="SERIALIZABLE"), os.getpid()
    number = 0
    while True:
        for statement in (MOVE.format(f"{me}-{number}"), ADD.format(me), DROP.format(me)):
            while not done(engine, statement):
                pass  # each by itself: a table that was added must be taken away before the next
        number += 1
        if number == 3:
            sys.stdout.write("ready\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
