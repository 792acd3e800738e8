"""A process of its own that keeps a file open or a database locked until its input ends.

Arguments: "open" or the SQL that locks, path.
"""

import sqlite3
import sys
from pathlib import Path


def main(how: str, path: Path) -> None:
    if how == "open":
        held = path.open("rb")
    else:
        held = sqlite3.connect(path, isolation_level=None)
        for statement in how.split(";"):
            held.execute(statement).fetchone()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    held.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
