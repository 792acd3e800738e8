"""``python -I -S launch.py RESULT PROGRAM [ARGUMENT ...]``: run a program and write what it took.

A process starts with the peak memory of the one that started it (Linux keeps it across fork and
exec), so whoever starts the measured program must be small itself: this imports next to nothing.
"""

import json
import os
import sys
import time

STARTED = "BENCH_STARTED"


def main(result: str, program: str, *arguments: str) -> None:
    """Write seconds, CPU seconds, peak memory in bytes and exit code as JSON to ``result``."""
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            variables = os.environ | {STARTED: repr(started)}
            os.execvpe(program, [program, *arguments], variables)  # noqa: S606
        finally:
            os._exit(127)
    _, status, used = os.wait4(child, 0)
    seconds = time.monotonic() - started
    measured = {
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_bytes": used.ru_maxrss * 1024,
        "code": os.waitstatus_to_exitcode(status),
    }
    with open(result, "w", encoding="utf-8") as out:  # noqa: PTH123 - pathlib is not small
        json.dump(measured, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
