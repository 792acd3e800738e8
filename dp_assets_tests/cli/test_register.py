"""`dp register` and `dp adopt`: foreign tables are read, and changed only once adopted."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.pyiceberg_pointer import existing_pointer, swap_pointer
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.pipeline.columns import INTEGER, schema
from dp_assets.ports.tables import RunMark, TableSpec
from dp_assets_tests.cli.things import elsewhere, make_things

THEIRS = TableId("shop", "theirs")
DATA = Path(__file__).parents[1] / "data"
RUN = RunMark(root_run_id="root-1", run_id="run-1")


@pytest.fixture
def theirs(tmp_path):
    """A table of somebody else's catalog."""
    return elsewhere(tmp_path / "elsewhere")


@pytest.fixture
def registered(dp, lake, theirs):
    assert dp("register", theirs.metadata_location, str(THEIRS)).code == 0
    return theirs


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def metadata_of(lake, table=THEIRS) -> dict:
    return json.loads(local_path(existing_pointer(lake.catalog, table)).read_bytes())


def test_a_registered_table_is_listed_and_read_and_untouched(dp, lake, theirs, tmp_path):
    before = files(tmp_path / "elsewhere")
    done = dp("register", theirs.metadata_location, "shop.theirs")
    assert done.code == 0
    assert "registered shop.theirs: 24 rows" in done.out
    assert "until 'dp adopt shop.theirs'" in done.out
    [row] = dp("tables", "--json").json
    assert (row["table"], row["rows"], row["is"]) == ("shop.theirs", 24, "foreign")
    assert "24" in dp("query", "SELECT count(*) FROM shop.theirs").out
    assert files(tmp_path / "elsewhere") == before


def test_a_path_is_as_good_as_a_uri(dp, lake, theirs, monkeypatch):
    path = local_path(theirs.metadata_location)
    monkeypatch.setenv("DP_STATE", str(lake.settings.state_dir))
    monkeypatch.chdir(path.parent)
    assert dp("register", path.name, "shop.theirs").code == 0
    assert existing_pointer(lake.catalog, THEIRS) == str(path)


def test_a_folder_is_refused_with_its_newest_file(dp, lake, theirs):
    folder = local_path(theirs.location())
    done = dp("register", str(folder), "shop.theirs")
    assert done.code == 2
    assert f"its newest metadata file is {local_path(theirs.metadata_location)}" in done.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is missing"),
        (b"", "is empty"),
        (b"{", "is damaged"),
        (b"[1]", "is not Iceberg table metadata"),
        (b'{"format-version": 2}', "x.metadata.json"),
        (b"\x1f\x8b\x08\x00cut", "x.metadata.json"),
    ],
)
def test_what_is_no_metadata_is_refused(dp, lake, tmp_path, content, said):
    file = tmp_path / "x.metadata.json"
    if content is not None:
        file.write_bytes(content)
    done = dp("register", str(file), "shop.x")
    assert done.code == 2
    assert said in done.err
    assert "newest *.metadata.json" in done.err
    assert dp("tables", "--json").json == []


def edited(table, **fields) -> str:
    """A metadata file beside the table's newest, with ``fields`` on top."""
    path = local_path(table.metadata_location)
    other = path.with_name("00099-edited.metadata.json")
    other.write_text(json.dumps({**json.loads(path.read_bytes()), **fields}))
    return str(other)


def test_an_unknown_format_version_is_refused(dp, lake, theirs):
    done = dp("register", edited(theirs, **{"format-version": 4}), "shop.x")
    assert done.code == 2
    assert "has format version 4" in done.err


def test_metadata_that_was_copied_elsewhere_is_refused(dp, lake, theirs, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(local_path(theirs.location()), copy)
    name = local_path(theirs.metadata_location).name
    done = dp("register", str(copy / "metadata" / name), "shop.x")
    assert done.code == 2
    assert f"is a copy: its table is at {theirs.location()}" in done.err


def first_file(table, kind: str) -> Path:
    [manifest, *_] = table.current_snapshot().manifests(table.io)
    [task, *_] = table.scan().plan_files()
    return local_path(
        {
            "manifest list": table.current_snapshot().manifest_list,
            "manifest": manifest.manifest_path,
            "data file": task.file.file_path,
        }[kind]
    )


@pytest.mark.parametrize("kind", ["manifest list", "manifest", "data file"])
def test_a_table_without_all_its_files_is_refused(dp, lake, theirs, kind):
    file = first_file(theirs, kind)
    file.unlink()
    done = dp("register", theirs.metadata_location, "shop.x")
    assert done.code == 3
    assert str(file) in done.err
    assert dp("tables", "--json").json == []


@pytest.mark.parametrize("name", ["shop.theirs", "SHOP.Theirs"])
def test_a_name_that_is_taken_is_refused(dp, lake, theirs, name):
    make_things(lake.catalog, "shop", "theirs")
    before = existing_pointer(lake.catalog, THEIRS)
    done = dp("register", theirs.metadata_location, name)
    assert done.code == 2
    assert "there is a table shop.theirs already" in done.err
    assert existing_pointer(lake.catalog, THEIRS) == before


@pytest.mark.parametrize("name", ["theirs", "ops.theirs", ".theirs"])
def test_a_name_that_will_not_do_is_refused(dp, lake, theirs, name):
    assert dp("register", theirs.metadata_location, name).code == 2


def test_a_table_is_registered_once(dp, lake, registered):
    done = dp("register", f"file://{local_path(registered.metadata_location)}", "shop.again")
    assert done.code == 2
    assert "is registered already, as shop.theirs" in done.err


def test_a_table_of_another_lakehouse_of_ours_is_refused(dp, lake, theirs):
    done = dp("register", edited(theirs, properties={"dp.adopted": "true"}), "shop.x")
    assert done.code == 2
    assert "belongs to another dp lakehouse" in done.err


def test_a_table_of_this_lakehouse_whose_entry_was_lost_comes_back(dp, lake):
    table = make_things(lake.catalog)
    with table.transaction() as change:
        change.set_properties({"dp.adopted": "true"})
    lake.catalog.drop_table("shop.things")
    done = dp("register", table.metadata_location, "shop.things")
    assert done.code == 0
    assert "this lakehouse's own" in done.out
    [row] = dp("tables", "--json").json
    assert (row["rows"], row["is"]) == (24, "adopted")


SPEC = TableSpec(THEIRS, schema(("id", INTEGER, "Number.")), comment="", key_columns=("id",))
ROWS = pa.table({"id": pa.array([1], pa.int32())})


def test_the_writer_refuses_a_foreign_table_and_leaves_it_as_it_is(lake, registered, tmp_path):
    before = existing_pointer(lake.catalog, THEIRS), files(tmp_path / "elsewhere")
    with pytest.raises(PermanentError, match=r"shop\.theirs is foreign.*\n.*dp adopt shop\.theirs"):
        lake.writer.ensure(SPEC)
    with pytest.raises(PermanentError, match="foreign"):
        lake.writer.replace(SPEC, ROWS, partition=None, run=RUN)
    with pytest.raises(PermanentError, match="foreign"):
        lake.writer.append(SPEC, ROWS, batches=("b",))
    assert (existing_pointer(lake.catalog, THEIRS), files(tmp_path / "elsewhere")) == before


def test_an_adopted_table_is_written(dp, lake, registered):
    assert dp("adopt", "shop.theirs", "--yes").code == 0
    lake.writer.append(SPEC, ROWS, batches=("b",))
    assert lake.catalog.load_table(THEIRS.identifier).scan().to_arrow().num_rows == 25


def test_adopting_sets_one_property_in_one_commit(dp, lake, registered):
    old, before = existing_pointer(lake.catalog, THEIRS), metadata_of(lake)
    done = dp("adopt", "shop.theirs", "--yes")
    assert done.code == 0
    after = metadata_of(lake)
    assert after["properties"] == {**before["properties"], "dp.adopted": "true"}
    assert after["metadata-log"][-1]["metadata-file"] == old
    assert after["last-updated-ms"] > before["last-updated-ms"]
    changed = {"properties", "metadata-log", "last-updated-ms"}
    assert {k: v for k, v in after.items() if k not in changed} == {
        k: v for k, v in before.items() if k not in changed
    }
    [row] = dp("tables", "--json").json
    assert (row["rows"], row["is"]) == (24, "adopted")


def test_adopting_twice_changes_nothing(dp, lake, registered):
    dp("adopt", "shop.theirs", "--yes")
    before = existing_pointer(lake.catalog, THEIRS)
    done = dp("adopt", "shop.theirs")
    assert done.code == 0
    assert "was adopted already" in done.out
    assert existing_pointer(lake.catalog, THEIRS) == before


def test_nobody_to_ask_is_no_yes(dp, lake, registered):
    before = existing_pointer(lake.catalog, THEIRS)
    done = dp("adopt", "shop.theirs")
    assert done.code == 2
    assert "24 rows" in done.err
    assert "--yes" in done.err
    assert existing_pointer(lake.catalog, THEIRS) == before


def test_a_copy_of_the_lakehouse_adopts_nothing(dp, lake, registered, home, monkeypatch):
    shutil.copytree(home / ".lakehouse", home / "clone")
    monkeypatch.setenv("DP_STATE", str(home / "clone"))
    before = files(local_path(registered.location()))
    done = dp("adopt", "shop.theirs", "--yes")
    assert done.code == 3
    assert "this is not lakehouse" in done.err
    assert files(local_path(registered.location())) == before


def test_metadata_of_version_3_is_adopted_with_every_field_of_its_writer(dp, lake, theirs):
    """As Spark wrote it: PyIceberg cannot write this version, and drops what it does not know."""
    folder = local_path(theirs.location()) / "metadata"
    spark = (DATA / "v3_deletion_vectors.metadata.json").read_text()
    location = f"file://{folder.parent}"
    file = folder / "00007-spark.metadata.json"
    file.write_text(spark.replace("file:///elsewhere/v3_dv", location))
    before = json.loads(file.read_bytes()) | {"x-unknown": {"a": [None]}}
    file.write_text(json.dumps(before))
    dp("register", theirs.metadata_location, "shop.theirs")
    old = existing_pointer(lake.catalog, THEIRS)
    swap_pointer(lake.catalog, THEIRS, old=old, new=str(file))
    assert dp("adopt", "shop.theirs", "--yes").code == 0
    after = metadata_of(lake)
    assert after["format-version"] == 3
    assert after["next-row-id"] == before["next-row-id"]
    assert after["x-unknown"] == {"a": [None]}
    assert after["snapshots"] == before["snapshots"]
    assert after["refs"] == before["refs"]
    assert after["properties"]["dp.adopted"] == "true"
    assert local_path(existing_pointer(lake.catalog, THEIRS)).name.startswith("00008-")


def test_a_wrong_name_gets_the_nearest(dp, registered):
    done = dp("adopt", "shop.their", "--yes")
    assert done.code == 2
    assert "did you mean shop.theirs?" in done.err
