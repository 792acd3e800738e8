"""What was started below a folder: ``service.json``, readable by its owner only."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.dev.processes import Process

FILE = "service.json"


@dataclass(frozen=True, slots=True)
class Service:
    """A running service.

    Attributes:
        kind: ``seaweed`` or ``postgres``.
        process: its main process.
        address: how clients reach it; with the password, where there is one.
        details: more that clients need.
    """

    kind: str
    process: Process
    address: str
    details: dict[str, str] = field(default_factory=dict)


def save(service: Service, root: Path) -> None:
    """Write the state file; it holds keys made for this service only."""
    descriptor = os.open(root / FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(service), file, indent=1)


def load(root: Path) -> Service | None:
    """What was saved; None when there is nothing."""
    path = root / FILE
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return Service(**{**found, "process": Process(**found["process"])})


def forget(root: Path) -> None:
    """Remove the state file."""
    (root / FILE).unlink(missing_ok=True)
