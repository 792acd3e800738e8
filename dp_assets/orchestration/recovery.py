"""What the assets of recovery share: partitions that mean "now", and the repository behind them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.units import format_bytes, format_seconds, now_ms, utc

if TYPE_CHECKING:
    from collections.abc import Generator

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.orchestration.resources import LakehouseResource
    from dp_assets.ports.recovery import PointRecord


def today() -> str:
    """The only partition that can be made: a recovery point is of now."""
    return utc(now_ms()).strftime("%Y-%m-%d")


def require_now(partition: str) -> None:
    """Raises ConfigurationError for any day but today: the past cannot be backed up any more."""
    if partition != today():
        raise ConfigurationError(
            f"partition {partition} cannot be made: it would hold the state of {today()}",
            hint=f"materialize partition {today()}; days of the past have what was made then",
        )


@contextmanager
def opened_repository(
    house: LakehouseResource, *, writing: bool = False
) -> Generator[tuple[Lakehouse, Repository], None, None]:
    """The lakehouse and its repository."""
    from dp_assets.usecases.backup.repositories import open_for_reading, open_for_writing

    with house.open() as lake:
        opening = open_for_writing if writing else open_for_reading
        yield lake, opening(lake.settings)


def point_metadata(record: PointRecord) -> dict[str, dg.MetadataValue]:
    """A point's public part for its page."""
    return {
        "point": dg.MetadataValue.int(record.number),
        "cut": dg.MetadataValue.timestamp(utc(record.cut_at_ms)),
        "complete": dg.MetadataValue.bool(record.complete),
        "tables": dg.MetadataValue.int(record.tables),
        "size": dg.MetadataValue.text(format_bytes(record.bytes)),
        "added": dg.MetadataValue.text(format_bytes(record.copied_bytes)),
        "added_bytes": dg.MetadataValue.int(record.copied_bytes),
        "took": dg.MetadataValue.text(format_seconds(record.seconds)),
    }


def listed(lines: tuple[str, ...] | list[str], *, most: int = 20) -> dg.MetadataValue:
    """Lines as a Markdown list; the first ``most``."""
    shown = [f"- {line}" for line in lines[:most]]
    more = [f"- and {len(lines) - most} more"] if len(lines) > most else []
    return dg.MetadataValue.md("\n".join([*shown, *more]) or "none")
