"""What a sweep for orphans finds, and what is named by something: that it never finds."""

import json
import os
from pathlib import Path

import pytest

from dp_assets.core.ids import TableId
from dp_assets.core.units import HOUR_MS
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.orphans import ListedFile
from dp_assets.usecases.maintenance import finding_orphans
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.adapters.recorded_files import RecordedFiles
from dp_assets_tests.usecases.maintenance.expiries import (
    TABLE,
    closure_of,
    files_below,
    make_table,
    metadata_of,
    overwrite,
    pointer_of,
    run_expiry,
)
from dp_assets_tests.usecases.maintenance.expiry_lakes import lake, prepared
from dp_assets_tests.usecases.maintenance.orphans import (
    all_made_old,
    folder_of,
    found,
    made_old,
    plant,
    register,
    run_sweep,
    search,
)

__all__ = ["lake", "prepared"]  # fixtures


def test_a_file_that_nothing_names_is_found_and_nothing_is_changed(lake: Lakehouse):
    all_made_old(lake)
    before = files_below(lake)
    assert found(lake) == set()  # every file of six commits, a tag among them, is named
    planted = {
        plant(lake, below)
        for below in (
            "data/orphan.parquet",
            "data/deep/er/part.parquet",
            "metadata/snap-1-orphan.avro",
            "metadata/orphan-m0.avro",
            "at-the-top",
            "data/.0123456789abcdef.tmp",
        )
    }
    assert found(lake) == planted
    assert {p: b for p, b in files_below(lake).items() if p not in planted} == before
    assert open_trash(lake).all() == ()


@pytest.mark.parametrize(("age_hours", "hours", "is_found"), [(72, 71, False), (72, 73, True)])
def test_younger_files_may_be_a_writers(
    lake: Lakehouse, age_hours: int, hours: int, is_found: bool
):
    plant(lake, hours=hours)
    result = search(lake, age_ms=age_hours * HOUR_MS)
    assert bool(result.files) == is_found
    assert result.young_bytes == (0 if is_found else 16)


def test_no_policy_goes_below_a_day(lake: Lakehouse):
    plant(lake, hours=23.9)
    assert found(lake, age_ms=0) == set()
    old = plant(lake, "data/old", hours=24.1)
    assert found(lake, age_ms=0) == {old}


def test_a_lost_commit_is_found_whole(lake: Lakehouse):
    """What a rollback to an older metadata file leaves when it is followed by another commit."""
    log = metadata_of(lake)["metadata-log"]
    before = {f.path for f in closure_of(log[-1]["metadata-file"]).files}
    lost = pointer_of(lake)
    lake.catalog.drop_table(TABLE.identifier)
    lake.catalog.register_table(TABLE.identifier, log[-1]["metadata-file"])
    overwrite(lake, 500)
    made_old(Path(one_spelling(lost)))
    assert before
    assert found(lake) == {Path(one_spelling(lost))}


@pytest.mark.parametrize("is_first", [False, True])
def test_what_a_commit_names_after_the_listing_is_no_orphan(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch, is_first: bool
):
    """A writer commits a file it wrote long ago, after the table was read.

    Its metadata files may be in the listing: the catalog is not behind because of that.
    """
    table = lake.catalog.load_table(TABLE.identifier)
    data = next(iter(table.scan().plan_files())).file.file_path
    late = folder_of(lake) / "data" / "late.parquet"
    late.write_bytes(Path(one_spelling(data)).read_bytes())
    made_old(late)
    assert found(lake) == {late}
    make = finding_orphans.listing

    def committing(*given, **named):
        listed = make(*given, **named)

        def commit(now: bool) -> None:
            if now:
                table.add_files([str(late)])
                overwrite(lake, 600)
                overwrite(lake, 700)

        def walk(folder: str):
            commit(is_first)
            yield from listed(folder)
            commit(not is_first)

        return walk

    monkeypatch.setattr(finding_orphans, "listing", committing)
    assert found(lake) == set()


@pytest.mark.parametrize("kind", ["statistics", "partition-statistics"])
def test_statistics_of_any_snapshot_are_no_orphans(lake: Lakehouse, kind: str):
    """Also of one that is no longer kept: the metadata names the file, so it is not ours to judge.

    Incidents: amoro#1959, trino#19965.
    """
    orphan = plant(lake, "metadata/some.stats")
    assert found(lake) == {orphan}
    one = {"snapshot-id": 4711, "statistics-path": f"file:{orphan}", "file-size-in-bytes": 16}
    if kind == "statistics":
        one |= {"file-footer-size-in-bytes": 1, "blob-metadata": []}
    metadata = dict(metadata_of(lake)) | {kind: [one]}
    lake.catalog.drop_table(TABLE.identifier)
    register(lake, metadata, folder_of_metadata(metadata), name=TABLE)
    assert orphan not in set(search_tolerant(lake))


def folder_of_metadata(metadata: dict) -> Path:
    return Path(one_spelling(metadata["location"]))


def search_tolerant(lake: Lakehouse) -> set[Path]:
    """The table's newer metadata files are put out of the way: they are another test's."""
    for path in (folder_of(lake) / "metadata").glob("*.metadata.json"):
        if path != Path(one_spelling(pointer_of(lake))):
            path.unlink()
    return found(lake)


def test_old_metadata_files_of_the_log_are_no_orphans(lake: Lakehouse):
    all_made_old(lake)
    log = [Path(one_spelling(one["metadata-file"])) for one in metadata_of(lake)["metadata-log"]]
    assert len(log) > 3
    assert found(lake).isdisjoint(log)
    beyond = plant(lake, "metadata/00000-beyond.metadata.json", content=log[0].read_bytes())
    assert found(lake) == {beyond}  # as after write.metadata.previous-versions-max


def test_what_waits_in_the_trash_is_no_orphan(lake: Lakehouse):
    run_expiry(lake)
    all_made_old(lake)
    assert found(lake) == set()
    (record,) = open_trash(lake).all()
    open_trash(lake).remove(record)
    assert found(lake) == {Path(one_spelling(file.path)) for file in record.files}


def test_orphans_are_recorded_once(lake: Lakehouse):
    orphan = plant(lake)
    record = run_sweep(lake)
    assert [file.path for file in record.files] == [f"{folder_of_uri(lake)}/data/orphan.parquet"]
    assert orphan.exists()
    assert found(lake) == set()


def folder_of_uri(lake: Lakehouse) -> str:
    return metadata_of(lake)["location"]


def test_what_another_table_names_is_no_orphan(lake: Lakehouse):
    """A file imported from here: in another spelling, and by a table that is not ours."""
    data = next(iter(lake.catalog.load_table(TABLE.identifier).scan().plan_files())).file.file_path
    copy = plant(lake, "data/a b%20.parquet", content=Path(one_spelling(data)).read_bytes())
    assert found(lake) == {copy}
    other = make_table(lake, TableId("shop", "other"))
    other.add_files([f"file:{copy}"])
    assert found(lake) == set()


def test_a_version_hint_and_what_it_leads_to_are_no_orphans(lake: Lakehouse):
    """Somebody reads the folder without our catalog."""
    data = plant(lake)
    log = metadata_of(lake)["metadata-log"]
    metadata = json.loads(Path(one_spelling(log[0]["metadata-file"])).read_bytes())
    metadata["statistics"] = [{"snapshot-id": 1, "statistics-path": str(data)}]
    hinted = plant(lake, "metadata/v2.metadata.json", content=json.dumps(metadata).encode())
    assert found(lake) == {data, hinted}
    hint = plant(lake, "metadata/version-hint.text", content=b"2\n")
    assert found(lake) == set()
    hint.write_bytes(b"nonsense")
    assert found(lake) == {data, hinted}


def test_a_checksum_beside_a_file_lives_as_long_as_that(lake: Lakehouse):
    """Hadoop's local file system writes them."""
    all_made_old(lake)
    data = next(iter(lake.catalog.load_table(TABLE.identifier).scan().plan_files())).file.file_path
    named = Path(one_spelling(data))
    plant(lake, f"data/.{named.name}.crc")
    alone = plant(lake, "data/.gone.parquet.crc")
    assert found(lake) == {alone}


def test_symbolic_links_are_neither_followed_nor_taken(lake: Lakehouse, tmp_path: Path):
    outside = made_old_file(tmp_path / "outside" / "precious.parquet")
    (folder_of(lake) / "data" / "linked").symlink_to(outside.parent)
    (link := folder_of(lake) / "data" / "link.parquet").symlink_to(outside)
    os.utime(link, (0, 0), follow_symlinks=False)
    assert found(lake) == set()


def made_old_file(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    return made_old(path)


def test_a_table_behind_a_symbolic_link_is_whole(lake: Lakehouse, tmp_path: Path):
    """Its folder is now elsewhere: what it names and what is listed are spelled differently."""
    folder = folder_of(lake)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    with lake.catalog.load_table(TABLE.identifier).transaction() as change:
        change.set_properties({"write.data.path": f"file://{tmp_path}/moved/data"})
    overwrite(lake, 800)
    all_made_old(lake)
    orphan = plant(lake)
    assert found(lake) == {orphan}


@pytest.mark.parametrize(
    "name", ["write.data.path", "write.metadata.path", "write.object-storage.path"]
)
def test_every_folder_that_the_table_writes_to_is_looked_at(
    lake: Lakehouse, tmp_path: Path, name: str
):
    away = tmp_path / "away"
    with lake.catalog.load_table(TABLE.identifier).transaction() as change:
        change.set_properties({name: f"file://{away}/"})
    overwrite(lake, 800)
    there = {path for path in away.rglob("*") if path.is_file()}
    all_made_old(lake)
    for path in there:
        made_old(path)
    orphan = made_old_file(away / "0110" / "1011" / "shop" / "orphan.parquet")
    inside = plant(lake)
    assert found(lake) == {orphan, inside}


def test_each_list_and_manifest_is_read_once(lake: Lakehouse):
    """With something found, so that all tables are read; another one names the same manifests."""
    plant(lake)
    run_expiry(lake)
    overwrite(lake, 900)
    side = dict(metadata_of(lake)) | {"location": f"{lake.settings.warehouse.root}/side/t"}
    register(lake, side, Path(f"{lake.settings.state_dir}/side"), name=TableId("shop", "side"))
    files = RecordedFiles(lake.files)
    lake.__dict__["files"] = files
    assert len(found(lake)) == 1
    avro = {path: count for path, count in files.reads.items() if path.endswith(".avro")}
    assert len(avro) > 4
    assert set(avro.values()) == {1}
    pointer = one_spelling(pointer_of(lake))
    assert files.reads[pointer] == 2  # once more after the listing, when all tables are read


def test_nothing_unnamed_reads_no_other_table(lake: Lakehouse):
    other = TableId("shop", "other")
    make_table(lake, other)
    files = RecordedFiles(lake.files)
    lake.__dict__["files"] = files
    assert search(lake).files == ()
    assert one_spelling(pointer_of(lake, other)) not in files.reads


def test_a_listed_file_is_small_in_memory():
    assert not hasattr(ListedFile("/x", 1, 2), "__dict__")
