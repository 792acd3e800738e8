"""The command line: ``python -m deploy.dev start seaweed --root DIR``, ``stop --root DIR``."""

import argparse
import sys
from pathlib import Path

from deploy.dev.postgres import STOP, start_postgres
from deploy.dev.processes import ServiceError, stop
from deploy.dev.seaweed import start_seaweed
from deploy.dev.state import Service, forget, load

STARTERS = {"seaweed": start_seaweed, "postgres": start_postgres}


def start_service(kind: str, root: Path) -> Service:
    """Start a service below ``root``, once.

    Raises ServiceError when one runs there already or does not start.
    """
    found = load(root)
    if found and found.process.is_alive:
        raise ServiceError(
            f"{found.kind} runs below {root} already, as process {found.process.pid}"
        )
    return STARTERS[kind](root.resolve())


def stop_service(root: Path) -> bool:
    """End what was started below ``root``; False when it was not running."""
    found = load(root)
    if found is None:
        return False
    ended = stop(found.process, ask=STOP) if found.kind == "postgres" else stop(found.process)
    forget(root)
    return ended


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.dev")
    parser.add_argument("action", choices=("start", "stop"))
    parser.add_argument("kind", nargs="?", choices=sorted(STARTERS))
    parser.add_argument("--root", type=Path, required=True, help="folder of its data and state")
    given = parser.parse_args(arguments)
    if given.action == "start" and given.kind is None:
        parser.error("say which service: " + " or ".join(sorted(STARTERS)))
    try:
        if given.action == "stop":
            text = "stopped" if stop_service(given.root) else "nothing was running"
        else:
            service = start_service(given.kind, given.root)
            text = f"{service.kind} at {service.address}, process {service.process.pid}"
    except ServiceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
