"""Delete files that name data files, written anew for data files that have moved."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dp_assets.adapters.recovery.avro_generic import Record, rewrite
from dp_assets.adapters.recovery.relocating_positions import orc_to_parquet, rewrite_parquet
from dp_assets.adapters.recovery.relocating_puffin import rewrite_puffin
from dp_assets.core.errors import PermanentError

AVRO, ORC, PARQUET, PUFFIN = "AVRO", "ORC", "PARQUET", "PUFFIN"


@dataclass(frozen=True, slots=True)
class NewDeletes:
    """What a manifest must say of the new file.

    Attributes:
        suffix: what its name gets, so that it does not lie about the format.
        first_path: smallest data file named in it; None for deletion vectors and empty files.
        split_offsets: where its row groups start; None for formats without them.
    """

    size: int
    format: str
    suffix: str = ""
    first_path: str | None = None
    last_path: str | None = None
    split_offsets: tuple[int, ...] | None = None


def rewrite_deletes(
    source: Path, target: Path, *, name: str, file_format: str, to: Callable[[str], str]
) -> NewDeletes:
    """Write ``source`` to ``target`` with every data file that it names mapped by ``to``.

    Args:
        source: a temporary file; its folder may be used.
        target: is written.
        name: of the delete file, for errors.
        file_format: as its manifest says.
        to: old path of a data file -> new one.

    Raises PermanentError for a format that is not known, or content that is not of it.
    """
    kind = file_format.upper()
    if kind == PUFFIN:
        return NewDeletes(rewrite_puffin(source, target, to=to), PUFFIN)
    if kind == PARQUET:
        return _parquet(source, target, to)
    if kind == ORC:
        parquet = source.with_name("parquet")
        orc_to_parquet(source, parquet)
        return _parquet(parquet, target, to, suffix=".parquet")
    if kind == AVRO:
        return _avro(source, target, name, to)
    raise PermanentError(
        f"{name}: delete files of format {file_format} cannot be moved",
        hint="restore it with 'dp undrop'",
    )


def _parquet(
    source: Path, target: Path, to: Callable[[str], str], *, suffix: str = ""
) -> NewDeletes:
    new = rewrite_parquet(source, target, to=to)
    return NewDeletes(
        size=new.size,
        format=PARQUET,
        suffix=suffix,
        first_path=new.first_path,
        last_path=new.last_path,
        split_offsets=new.split_offsets,
    )


def _avro(source: Path, target: Path, name: str, to: Callable[[str], str]) -> NewDeletes:
    """All in memory: sorting needs it, and Avro has no index to read a part by."""
    paths: set[str] = set()

    def move(record: Record) -> None:
        record["file_path"] = to(record["file_path"])
        paths.add(record["file_path"])

    data = rewrite(source.read_bytes(), move, name=name, order=lambda r: (r["file_path"], r["pos"]))
    target.write_bytes(data)
    first, last = (min(paths), max(paths)) if paths else (None, None)
    return NewDeletes(len(data), AVRO, first_path=first, last_path=last)
