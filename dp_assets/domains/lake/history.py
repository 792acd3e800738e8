"""The lives of tables by name and uuid: first seen, last seen, dropped. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from dp_assets.core.ids import TableId
from dp_assets.ports.inventory import TableLife


def update_history(
    history: Iterable[TableLife], seen: Mapping[TableId, str], *, now_ms: int
) -> tuple[TableLife, ...]:
    """Every life after a sweep that saw the tables ``seen`` (name to uuid), in order of name.

    A life ends when its name is gone, or has another uuid (dropped and created again between two
    sweeps). An empty uuid, of metadata that cannot be read, proves nothing: that life goes on.
    """
    lives = list(history)
    continued = {life.table for life in lives if _continues(life, seen)}
    new = [
        TableLife(table, uuid, first_seen_ms=now_ms, last_seen_ms=now_ms)
        for table, uuid in seen.items()
        if table not in continued
    ]
    return tuple(sorted([*_aged(lives, seen, now_ms=now_ms), *new], key=_by_name_and_time))


def _continues(life: TableLife, seen: Mapping[TableId, str]) -> bool:
    if life.dropped_at_ms is not None or life.table not in seen:
        return False
    uuid = seen[life.table]
    return not (uuid and life.uuid and uuid != life.uuid)


def _aged(
    lives: Iterable[TableLife], seen: Mapping[TableId, str], *, now_ms: int
) -> Iterator[TableLife]:
    for life in lives:
        if life.dropped_at_ms is not None:
            yield life
        elif _continues(life, seen):
            yield replace(life, uuid=seen[life.table] or life.uuid, last_seen_ms=now_ms)
        else:
            yield replace(life, dropped_at_ms=now_ms)


def _by_name_and_time(life: TableLife) -> tuple[TableId, int, bool]:
    return (life.table, life.first_seen_ms, life.dropped_at_ms is None)
