"""What the sweeps for health know, as one JSON file that is replaced atomically.

It can be made again: without it, the next sweep measures every table.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dp_assets.adapters.local_files import replace_file
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.ports.health_state import HealthState, Measured, Unmeasured
from dp_assets.ports.maintenance import PartitionHealth, TableHealth

FORMAT = 2
_TABLE = tuple(f.name for f in fields(TableHealth) if f.name != "partitions")
_PARTITION = tuple(f.name for f in fields(PartitionHealth))


@dataclass(frozen=True, slots=True)
class SavedHealth:
    """What was saved; empty when nothing was, or when ``problem`` says why it cannot be read."""

    state: HealthState
    problem: str = ""


def read_health(path: Path) -> SavedHealth:
    """The state at ``path``. Never raises for what is wrong with the file."""
    try:
        return SavedHealth(_decode(json.loads(path.read_bytes())))
    except FileNotFoundError:
        return SavedHealth(HealthState())
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"
        return SavedHealth(HealthState(), problem=f"health state {path} is unreadable: {said}")


def write_health(path: Path, state: HealthState) -> None:
    """Replace the state at ``path``: the old one or the new one, whenever the power goes.

    Raises PermanentError when the folder cannot be written or the disk is full.
    """
    try:
        replace_file(path, json.dumps(_encode(state), separators=(",", ":")).encode())
    except OSError as error:
        raise PermanentError(
            f"write the state of health {path}: {error}",
            hint="make the state folder writable and free some disk, then materialize it again",
        ) from error


def _encode(state: HealthState) -> dict[str, Any]:
    measured = [(t, m) for t, m in state.tables.items() if isinstance(m, TableHealth)]
    unmeasured = [(t, m) for t, m in state.tables.items() if isinstance(m, Unmeasured)]
    return {
        "format": FORMAT,
        "swept_at_ms": state.swept_at_ms,
        "fields": _TABLE,
        "partition_fields": _PARTITION,
        "tables": [
            [
                t.namespace,
                t.name,
                _values(m, _TABLE),
                [_values(p, _PARTITION) for p in m.partitions],
            ]
            for t, m in measured
        ],
        "problems": [[t.namespace, t.name, m.pointer, m.at_ms, m.problem] for t, m in unmeasured],
    }


def _partitions(health: TableHealth) -> list[list[Any]]:
    return [_values(partition, _PARTITION) for partition in health.partitions]


def _values(of: object, names: Iterable[str]) -> list[Any]:
    return [getattr(of, name) for name in names]


def _decode(state: dict[str, Any]) -> HealthState:
    if state["format"] != FORMAT:
        raise ValueError(f"format {state['format']}, this version reads {FORMAT}")
    tables: dict[TableId, Measured] = {}
    for namespace, name, values, partitions in state["tables"]:
        facts = dict(zip(state["fields"], values, strict=True))
        facts["size_counts"] = tuple(facts["size_counts"])
        tables[TableId(namespace, name)] = TableHealth(
            **facts,
            partitions=tuple(
                PartitionHealth(**dict(zip(state["partition_fields"], one, strict=True)))
                for one in partitions
            ),
        )
    for namespace, name, pointer, at_ms, problem in state["problems"]:
        table = TableId(namespace, name)
        tables[table] = Unmeasured(table, pointer, at_ms, problem)
    return HealthState(dict(sorted(tables.items())), swept_at_ms=state["swept_at_ms"])
