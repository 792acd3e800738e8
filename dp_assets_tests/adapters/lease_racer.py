"""A process of its own that acquires leases; a test starts several and lets them go at once.

Arguments: store, "race" or the name of a lease to take, rounds, a file to count in; the properties
of the store as a line of JSON. It prints "ready", waits for a line, works, and prints what it got
as JSON.
"""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from dp_assets.adapters.lease_owner import is_gone, owner_text
from dp_assets.adapters.leases_polling import PollingLeases
from dp_assets.adapters.objects.leases_objects import ObjectLeases
from dp_assets.adapters.objects.object_stores import open_store
from dp_assets.core.errors import TransientError
from dp_assets.core.units import now_ms
from dp_assets.ports.leases import held_lease


def open_leases(place: str, properties: Mapping[str, str], **how: Any) -> PollingLeases:
    """In a database where ``place`` ends in .db, else in the object store there."""
    if place.endswith(".db"):
        from sqlalchemy import create_engine

        from dp_assets.adapters.leases_sql import SqlLeases

        return SqlLeases(create_engine(f"sqlite:///{place}"), **how)
    store = open_store(place, properties=properties, tmp_dir=Path(gettempdir()))
    return ObjectLeases(store, **how)


def claim(leases: PollingLeases, rounds: int) -> list[int]:
    """Try each name once and keep what was won."""
    won: list[int] = []
    for number in range(rounds):
        try:
            leases.acquire(f"claim/{number}", owner=owner_text("race"), ttl_ms=60_000, wait_ms=0)
        except TransientError:
            continue
        won.append(number)
    return won


def count(leases: PollingLeases, rounds: int, counter: Path) -> list[int]:
    """Add one to a number in a file under the lease: lost additions are broken exclusion."""
    fencings: list[int] = []
    for _ in range(rounds):
        with held_lease(
            leases, "counter", owner=owner_text("race"), ttl_ms=60_000, wait_ms=60_000
        ) as lease:
            value = int(counter.read_text())
            leases.check(lease)
            counter.write_text(str(value + 1))
            fencings.append(lease.fencing)
    return fencings


def main(place: str, task: str, rounds: int, *, counter: Path) -> None:
    properties = json.loads(sys.stdin.readline())
    leases = open_leases(
        place, properties, now_ms=now_ms, sleep=time.sleep, poll_ms=10, is_gone=is_gone
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    if task == "race":
        won = claim(leases, rounds)
        got = {"won": won, "turns": count(leases, rounds, counter)}
    else:
        got = leases.acquire(task, owner=owner_text("race"), ttl_ms=60_000, wait_ms=0).fencing
    sys.stdout.write(json.dumps(got) + "\n")
    sys.stdout.flush()
    sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), counter=Path(sys.argv[4]))
