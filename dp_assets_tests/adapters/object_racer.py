"""A process of its own that creates objects; a test starts several and lets them go at once.

Arguments: what :func:`open_store` needs as JSON, its own number, rounds. It prints "ready", waits
for a line, works, and prints the rounds that it won as JSON.
"""

import json
import sys
from pathlib import Path

from dp_assets.adapters.objects.object_stores import open_store
from dp_assets.ports.object_store import ObjectStore


def claim(store: ObjectStore, number: int, *, rounds: int) -> list[int]:
    """Try each key once; the rounds that were won."""
    return [r for r in range(rounds) if store.create(f"race/{r}.json", f"{number}".encode())]


def main(place: str, number: str, rounds: str) -> None:
    given = json.loads(place)
    store = open_store(given["url"], properties=given["properties"], tmp_dir=Path(given["tmp_dir"]))
    store.size("warm")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(json.dumps(claim(store, int(number), rounds=int(rounds))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
