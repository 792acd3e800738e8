"""A process that has imported `dp` and forks for each command line: imports are paid once.

``python -m dp_assets_tests.runbooks.warm ADDRESS`` listens there. Each command line runs in a
process of its own, with the arguments, working folder, environment and standard streams of the one
who asked (``asking.py``), who gets its exit code. What `dp` imports when it starts from nothing is
not seen here: the page of the README is followed with new processes.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import socket
import sys

import dp_assets
from dp_assets.cli.main import main as dp

# Dagster and the pipeline's checks: no page asks for them, and they take longest.
LEFT_OUT = ("defs", "definitions", "domains.quality", "failures", "keys", "orchestration")
LOADED_ON_USE = (
    "obstore.store",
    "pyarrow.dataset",
    "pyiceberg.catalog.sql",
    "pyiceberg.io.pyarrow",
)


def main(address: str) -> None:
    """Answer for ever."""
    _import()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        answering: list[int] = []
        while True:
            asking, _ = listening.accept()
            child = os.fork()
            if child == 0:
                listening.close()
                _answer(asking)
            asking.close()
            answering = [one for one in (*answering, child) if not os.waitpid(one, os.WNOHANG)[0]]


def _import() -> None:
    left_out = tuple(f"dp_assets.{name}" for name in LEFT_OUT)
    for module in pkgutil.walk_packages(dp_assets.__path__, "dp_assets."):
        if not module.name.startswith(left_out):
            importlib.import_module(module.name)
    for name in LOADED_ON_USE:
        importlib.import_module(name)
    gc.freeze()  # a fork that collects garbage would copy all of it


def _answer(asking: socket.socket) -> None:
    """In a fork: see the command line to its end, in one more, and say how it ended."""
    _, streams, *_ = socket.recv_fds(asking, 1, 3)
    with asking.makefile("rb") as told:
        request = json.load(told)
    child = os.fork()
    if child == 0:
        asking.close()
        _become(request["folder"], request["environment"], streams)
        _run(request["arguments"])
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(BrokenPipeError):
        asking.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(folder: str, environment: dict[str, str], streams: list[int]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # What Python made of the old streams has looked at those, and refuses to be changed.
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _run(arguments: list[str]) -> None:
    """End with its exit code; at once, for threads of libraries are not there to be waited for."""
    code = 1
    try:
        sys.argv[1:] = arguments
        code = dp()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1])
