"""Tables as their metadata would have them, made of nothing but live entries."""

from collections.abc import Mapping
from typing import Any

from dp_assets.ports.closure import KeptSnapshot, LiveEntry, Manifest, ManifestUse, TableClosure
from dp_assets.ports.recovery import FileKind, History

HEAD = 42
SEQUENCE = 9
SCHEMA = {
    "schema-id": 3,
    "fields": [{"id": 1, "name": "month", "type": "string", "required": False}],
}
SPECS = [
    {"spec-id": 0, "fields": [{"source-id": 1, "transform": "identity", "name": "month"}]},
    {"spec-id": 1, "fields": []},
]


def data(path: str, size: int, **known: Any) -> LiveEntry:
    """A data file of ten rows in the January partition, of the third commit."""
    return entry(path, FileKind.DATA, **{"size": size, **known})


def deletes(path: str, records: int = 1, **known: Any) -> LiveEntry:
    """A position delete file of the fifth commit."""
    return entry(path, FileKind.POSITION_DELETES, **{"records": records, "sequence": 5, **known})


def entry(path: str, kind: FileKind, *, sequence: int = 3, **known: Any) -> LiveEntry:
    plain: dict[str, Any] = {
        "format": "PARQUET",
        "size": 1,
        "records": 10,
        "partition": '{"month":"2013-01"}',
        "added": False,
        "file_sequence_number": sequence,
    }
    return LiveEntry(path=path, kind=kind, sequence_number=sequence, **{**plain, **known})


def closure_of(
    *entries: LiveEntry,
    by_spec: Mapping[int, tuple[LiveEntry, ...]] | None = None,
    encrypted: bool = False,
    manifest_list: str = "/list",
    **metadata: Any,
) -> TableClosure:
    """A table whose head has one manifest per partition spec; ``entries`` are of spec 0."""
    manifests = {
        f"/m{spec}": Manifest(f"/m{spec}", spec, found)
        for spec, found in {0: entries, **(by_spec or {})}.items()
    }
    uses = tuple(
        ManifestUse(path, 1, one.spec_id, SEQUENCE, HEAD, encrypted=encrypted)
        for path, one in manifests.items()
    )
    plain: dict[str, Any] = {
        "format-version": 2,
        "table-uuid": "uuid",
        "current-schema-id": 3,
        "schemas": [SCHEMA],
        "partition-specs": SPECS,
        "default-spec-id": 0,
    }
    return TableClosure(
        pointer="/pointer",
        history=History.CURRENT,
        metadata={**plain, **{name.replace("_", "-"): value for name, value in metadata.items()}},
        head=HEAD,
        snapshots=(KeptSnapshot(HEAD, None, SEQUENCE, 0, 3, manifest_list, uses),),
        manifests=manifests,
        files=(),
    )
