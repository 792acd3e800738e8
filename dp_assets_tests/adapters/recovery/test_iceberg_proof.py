"""The facts of snapshots: what they are made of, and equal for a copy elsewhere."""

import hashlib
from collections import Counter

import pytest

from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.iceberg_proof import snapshot_facts
from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.recovery import FileKind, History
from dp_assets_tests.adapters.moved_table import NAMING_DATA, facts, hashes, move
from dp_assets_tests.adapters.recorded_files import RecordedFiles
from dp_assets_tests.zoo import TABLES, Zoo, expected_rows, unpack_zoo

POSITIONS, VECTORS, EQUALITY = "v2_mor", "v3_dv", "equality"


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    return unpack_zoo(tmp_path_factory.mktemp("proof"))


@pytest.mark.parametrize("name", TABLES)
def test_a_copy_elsewhere_has_the_same_facts(zoo, tmp_path, name):
    pointer = move(zoo.files, zoo.table(name), tmp_path / "copy")
    assert facts(zoo.files, pointer) == facts(zoo.files, zoo.table(name))


@pytest.mark.parametrize("name", TABLES)
def test_rows_are_told_when_nothing_is_deleted(zoo, name):
    expected = expected_rows(name)
    for fact in facts(zoo.files, zoo.table(name)):
        exact = fact.delete_files == 0
        assert fact.rows == (expected[fact.snapshot_id] if exact else None)
        assert fact.rows_by == ("manifests" if exact else "")


def test_facts_of_different_snapshots_differ(zoo):
    for name in (POSITIONS, VECTORS, EQUALITY):
        found = facts(zoo.files, zoo.table(name))
        assert len({(f.data_digest, f.delete_digest) for f in found}) == len(found)


def test_digests_name_their_function(zoo):
    (fact,) = facts(zoo.files, zoo.table("compacted"))
    for digest in (fact.data_digest, fact.delete_digest):
        function, _, value = digest.partition(":")
        assert (function, len(value), int(value, 16) > 0) == ("sum-sha256-1", 64, True)


def test_a_digest_is_the_sum_of_its_lines(zoo):
    """Worked out by hand: the format is documented, so that others can check it."""
    closure = read_closure(zoo.files, zoo.table("v1_plain"), history=History.ALL)
    first, sha = closure.snapshots[0], hashes(zoo.files, closure)
    entries = [entry for use in first.manifests for entry in closure.entries(use)]
    lines = [f'["data","{sha[e.path]}",0,0,"",{e.records},null]' for e in entries]
    total = sum(int(hashlib.sha256(line.encode()).hexdigest(), 16) for line in lines)
    fact = snapshot_facts(closure, zoo.files, sha)[0]
    assert fact.data_digest == f"sum-sha256-1:{total % 2**256:064x}"
    assert fact.delete_digest == f"sum-sha256-1:{0:064x}"


def test_a_live_file_without_a_hash_is_an_error(zoo):
    closure = read_closure(zoo.files, zoo.table("v1_plain"), history=History.ALL)
    sha_of = hashes(zoo.files, closure)
    path, _ = sha_of.popitem()
    with pytest.raises(PermanentError, match=f"{path} has no hash"):
        snapshot_facts(closure, zoo.files, sha_of)


def test_a_broken_closure_has_no_facts(zoo):
    whole = read_closure(zoo.files, zoo.table("v1_plain"), history=History.ALL)
    path = next(file.path for file in whole.files if file.kind is FileKind.MANIFEST)
    files = RecordedFiles(zoo.files, lost=frozenset({path}))
    closure = read_closure(files, zoo.table("v1_plain"), history=History.ALL, tolerant=True)
    with pytest.raises(PermanentError, match="is not there"):
        snapshot_facts(closure, files, hashes(zoo.files, closure))


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("workers", [1, 3])
def test_only_deletes_are_read_and_each_once(zoo, name, workers):
    closure = read_closure(zoo.files, zoo.table(name), history=History.ALL)
    sha_of, files, known = hashes(zoo.files, closure), RecordedFiles(zoo.files), {}
    found = snapshot_facts(closure, files, sha_of, known=known, workers=workers)
    wanted = [file.path for file in closure.files if file.kind in NAMING_DATA]
    assert files.reads == Counter(map(one_spelling, wanted))
    assert snapshot_facts(closure, files, sha_of, known=known) == found
    assert files.reads == Counter(map(one_spelling, wanted))
