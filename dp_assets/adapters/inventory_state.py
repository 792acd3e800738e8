"""The inventory's saved state: one JSON file, replaced atomically.

It is read whenever the code location loads, so equal columns are stored once, and nothing here
imports PyIceberg.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from dp_assets.adapters.local_files import move_file, replace_file
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.ports.inventory import Column, Inventory, TableFacts, TableLife

FORMAT = 1
DAMAGED_SUFFIX = ".damaged"
_FACTS = tuple(f.name for f in fields(TableFacts) if f.name not in ("table", "columns"))


@dataclass(frozen=True, slots=True)
class SavedInventory:
    """What was saved; empty when nothing was, or when ``problem`` says why it cannot be read."""

    inventory: Inventory
    problem: str = ""


def read_inventory(path: Path) -> SavedInventory:
    """The state at ``path``. Never raises for what is wrong with the file."""
    try:
        return SavedInventory(_decode(json.loads(path.read_bytes())))
    except FileNotFoundError:
        return SavedInventory(Inventory())
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"
        return SavedInventory(Inventory(), problem=f"inventory state {path} is unreadable: {said}")


def write_inventory(path: Path, inventory: Inventory) -> None:
    """Replace the state at ``path``: the old one or the new one, whenever the power goes.

    A file that :func:`read_inventory` could not read is kept beside it, once, with the suffix
    ``.damaged``: it may hold the only history.

    Raises PermanentError when the folder cannot be written or the disk is full.
    """
    try:
        if read_inventory(path).problem:
            move_file(path, path.with_name(path.name + DAMAGED_SUFFIX))
        replace_file(path, json.dumps(_encode(inventory), separators=(",", ":")).encode())
    except OSError as error:
        raise PermanentError(
            f"write the inventory's state {path}: {error}",
            hint="make the state folder writable and free some disk, then materialize it again",
        ) from error


def _encode(inventory: Inventory) -> dict[str, Any]:
    schemas = {facts.columns: None for facts in inventory.tables.values()}
    number = {columns: i for i, columns in enumerate(schemas)}
    return {
        "format": FORMAT,
        "swept_at_ms": inventory.swept_at_ms,
        "schemas": list(schemas),
        "tables": [
            [f.table.namespace, f.table.name, number[f.columns], [getattr(f, n) for n in _FACTS]]
            for f in inventory.tables.values()
        ],
        "fields": list(_FACTS),
        "history": [asdict(life) for life in inventory.history],
    }


def _decode(state: dict[str, Any]) -> Inventory:
    if state["format"] != FORMAT:
        raise ValueError(f"format {state['format']}, this version reads {FORMAT}")
    schemas = [tuple(map(Column._make, columns)) for columns in state["schemas"]]
    return Inventory(
        tables=dict(_tables(state["tables"], names=state["fields"], schemas=schemas)),
        history=tuple(
            TableLife(**{**life, "table": TableId(**life["table"])}) for life in state["history"]
        ),
        swept_at_ms=state["swept_at_ms"],
    )


def _tables(
    rows: Iterable[Any], *, names: list[str], schemas: list[tuple[Column, ...]]
) -> Iterable[tuple[TableId, TableFacts]]:
    for namespace, name, schema, values in rows:
        table = TableId(namespace, name)
        facts = dict(zip(names, values, strict=True))
        yield table, TableFacts(table=table, columns=schemas[schema], **facts)
