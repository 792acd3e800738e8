"""Tables with files missing, damaged or of a kind that cannot be moved."""

import gzip
import json

import pytest

from dp_assets.adapters.recovery.avro_generic import Record, rewrite
from dp_assets.adapters.recovery.iceberg_closure import immovable, read_closure
from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import TableClosure
from dp_assets.ports.object_store import MissingObjectError
from dp_assets.ports.recovery import FileKind, History
from dp_assets_tests.adapters.plain_iceberg import metadata_of
from dp_assets_tests.adapters.recorded_files import RecordedFiles
from dp_assets_tests.zoo import TABLES, Zoo, unpack_zoo

LISTS = (FileKind.MANIFEST_LIST, FileKind.MANIFEST)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    return unpack_zoo(tmp_path_factory.mktemp("broken"))


def closure_of(zoo: Zoo, name: str) -> TableClosure:
    return read_closure(zoo.files, zoo.table(name), history=History.ALL)


def paths(closure: TableClosure, kind: FileKind) -> list[str]:
    return [file.path for file in closure.files if file.kind is kind]


@pytest.mark.parametrize("kind", LISTS)
def test_a_missing_file_is_named_with_what_it_breaks(zoo, kind):
    closure = closure_of(zoo, "v2_mor")
    for path in paths(closure, kind):
        files = RecordedFiles(zoo.files, lost=frozenset({path}))
        with pytest.raises(MissingObjectError) as raised:
            read_closure(files, zoo.table("v2_mor"), history=History.ALL)
        broken = closure.snapshots_of(path)
        assert raised.value.what.startswith(f"{kind.value} {path} is gone; it breaks snapshot ")
        assert ", ".join(map(str, broken[:5])) in raised.value.what
        tolerated = read_closure(files, zoo.table("v2_mor"), history=History.ALL, tolerant=True)
        assert [(b.path, b.kind, b.snapshots) for b in tolerated.broken] == [(path, kind, broken)]
        assert tolerated.snapshots_of(path) == broken


def test_a_damaged_manifest_is_named_with_what_it_breaks(zoo):
    closure = closure_of(zoo, "v1_plain")
    path = paths(closure, FileKind.MANIFEST)[0]
    files = RecordedFiles(zoo.files, replaced={path: zoo.files.read(path)[:-1]})
    with pytest.raises(PermanentError) as raised:
        read_closure(files, zoo.table("v1_plain"), history=History.ALL)
    assert f"{path} is damaged: it is cut short; it breaks snapshot" in raised.value.what


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_is_no_manifest_and_a_manifest_no_list(zoo, kind):
    closure = closure_of(zoo, "v1_plain")
    path = paths(closure, kind)[0]
    other = paths(closure, next(k for k in LISTS if k is not kind))[0]
    files = RecordedFiles(zoo.files, replaced={path: zoo.files.read(other)})
    with pytest.raises(PermanentError, match="is damaged: it is no manifest"):
        read_closure(files, zoo.table("v1_plain"), history=History.ALL)


def test_a_missing_metadata_file_breaks_the_table(zoo):
    pointer = zoo.table("stats")
    files = RecordedFiles(zoo.files, lost=frozenset({pointer}))
    with pytest.raises(MissingObjectError, match="is gone; it breaks the whole table"):
        read_closure(files, pointer, history=History.ALL)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"format-version": 2, ', id="cut"),
        pytest.param(gzip.compress(b"{}" * 99)[:-9], id="gzip-cut"),
        pytest.param(gzip.compress(b"{}" * 99)[:10] + b"\xff" * 20, id="gzip-garbage"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b"{}", id="no-version"),
        pytest.param(b"\xff\xfe", id="no-text"),
        pytest.param(b'{"format-version": 2, "snapshots": [{}]}', id="snapshot-without-id"),
        pytest.param(b'{"format-version": 2, "snapshots": 7}', id="snapshots-is-a-number"),
        pytest.param(b'{"format-version": 2, "refs": {"main": 1}}', id="ref-is-a-number"),
        pytest.param(b'{"format-version": 2, "current-snapshot-id": 5}', id="head-is-gone"),
        pytest.param(
            b'{"format-version": 2, "refs": {"t": {"snapshot-id": 5}}}', id="ref-points-nowhere"
        ),
    ],
)
def test_damaged_metadata_is_said(zoo, content):
    pointer = zoo.table("stats")
    files = RecordedFiles(zoo.files, replaced={pointer: content})
    with pytest.raises(PermanentError, match="is damaged"):
        read_closure(files, pointer, history=History.REFS)


@pytest.mark.parametrize("name", TABLES)
def test_the_zoo_can_be_moved(zoo, name):
    assert immovable(closure_of(zoo, name)) == ""


def _encrypted(record: Record) -> None:
    (record.get("data_file") or record)["key_metadata"] = b"key"


@pytest.mark.parametrize("kind", LISTS)
def test_encrypted_files_cannot_be_moved(zoo, kind):
    pointer = zoo.table("v2_mor")
    path = paths(closure_of(zoo, "v2_mor"), kind)[0]
    content = rewrite(zoo.files.read(path), _encrypted, name=path)
    files = RecordedFiles(zoo.files, replaced={path: content})
    assert "is encrypted" in immovable(read_closure(files, pointer, history=History.ALL))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"format-version": 4}, "format version 4", id="unknown-version"),
        pytest.param({"encryption-keys": [{"key-id": "k"}]}, "encrypted", id="keys"),
        pytest.param({"properties": {"encryption.key-id": "k"}}, "encrypted", id="property"),
    ],
)
def test_metadata_may_say_that_it_cannot_be_moved(zoo, change, words):
    pointer = zoo.table("v2_mor")
    metadata = metadata_of(zoo.files, pointer) | change
    files = RecordedFiles(zoo.files, replaced={pointer: json.dumps(metadata).encode()})
    assert words in immovable(read_closure(files, pointer, history=History.ALL))


def test_delete_files_of_unknown_format_cannot_be_moved(zoo):
    def rename(entry: Record) -> None:
        entry["data_file"]["file_format"] = "vortex"

    pointer, closure = zoo.table("v2_mor"), closure_of(zoo, "v2_mor")
    deletes = paths(closure, FileKind.POSITION_DELETES)[0]
    path = next(
        m.path for m in closure.manifests.values() if deletes in {e.path for e in m.entries}
    )
    content = rewrite(zoo.files.read(path), rename, name=path)
    files = RecordedFiles(zoo.files, replaced={path: content})
    assert "VORTEX" in immovable(read_closure(files, pointer, history=History.ALL))
