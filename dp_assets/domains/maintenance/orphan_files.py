"""What the name of a file in a table's folder tells of it. Pure."""

import re
from typing import NamedTuple

from dp_assets.ports.recovery import FileKind

# ``00005-<uuid>.metadata.json``, ``v5.metadata.json``, both also ``.gz.metadata.json`` and
# ``.metadata.json.gz``. Source: Iceberg table specification, "Appendix E", "File System Tables".
_VERSION = re.compile(r"v?(\d+)(?:-[^/]*)?\.(?:gz\.)?metadata\.json(?:\.gz)?")
_METADATA = re.compile(r"\.metadata\.json(\.gz)?$")
_CHECKSUM = re.compile(r"\.(.+)\.crc")  # Hadoop's local file system writes one beside each file
_OURS = re.compile(r"\.[0-9a-f]{16}\.tmp")  # a file that was being written here
_UUID = re.compile(r'"table-uuid"\s*:\s*"([^"]+)"')
VERSION_HINT = "version-hint.text"
UNFINISHED, CHECKSUM, OTHER = "unfinished", "checksum", "file"
_KINDS = (
    (_METADATA, FileKind.METADATA),
    (re.compile(r"(^|/)snap-[^/]*\.avro$"), FileKind.MANIFEST_LIST),
    (re.compile(r"-m\d+\.avro$"), FileKind.MANIFEST),
    (re.compile(r"\.(parquet|orc)$"), FileKind.DATA),
)


class Sidecar(NamedTuple):
    """A file that is about another one and is needed as long as that."""

    path: str
    of: str


def sidecar(path: str) -> Sidecar | None:
    """The file that ``path`` belongs to, when its name says so."""
    folder, slash, name = path.rpartition("/")
    found = _CHECKSUM.fullmatch(name)
    return Sidecar(path, f"{folder}{slash}{found[1]}") if found else None


def kind_of(path: str) -> str:
    """What a file that nothing names is, as far as its name tells."""
    name = path.rpartition("/")[2]
    if _OURS.fullmatch(name):
        return UNFINISHED
    if sidecar(path):
        return CHECKSUM
    return next((str(kind) for pattern, kind in _KINDS if pattern.search(name)), OTHER)


def is_metadata(path: str) -> bool:
    """Whether the name is that of a metadata file."""
    return _METADATA.search(path) is not None


def metadata_version(path: str) -> int | None:
    """The number in the name of a metadata file: one more with each commit; None without one."""
    found = _VERSION.fullmatch(path.rpartition("/")[2])
    return int(found[1]) if found else None


def table_uuid(beginning: bytes) -> str:
    """The table that a metadata file is of, from its first bytes; "" when they do not tell."""
    found = _UUID.search(beginning.decode(errors="replace"))
    return found[1] if found else ""
