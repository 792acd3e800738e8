"""The index: fast, believed only as far as it is whole, and thrown away otherwise."""

import sqlite3
import threading
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest

from dp_assets.adapters.recovery.repository_index import SqliteRepositoryIndex
from dp_assets.adapters.recovery.repository_index_file import open_database
from dp_assets.adapters.recovery.repository_index_rows import BATCH
from dp_assets.adapters.recovery.repository_index_sql import SQL
from dp_assets.core.errors import ConfigurationError
from dp_assets.ports.recovery import ObjectRef
from dp_assets.ports.repository_index import Checked, FileKey, KnownFile

MANY = 20_000


def opened(path: Path | None = None, repository_id: str = "r-1") -> SqliteRepositoryIndex:
    return SqliteRepositoryIndex(path, repository_id=repository_id)


def key(path: str, *, uuid: str = "u-1", size: int = 3, version: str = "v1") -> FileKey:
    return FileKey(uuid, path, size, version)


def ref(name: str, *, stored: str = "s") -> ObjectRef:
    return ObjectRef(name, f"plain {name}", 3, stored, 5)


def with_point(index: SqliteRepositoryIndex, number: int, *names: str, stored: str = "s") -> None:
    """A committed point of one list, whose objects are ``names``."""
    listed = f"list of {' '.join(names)} {stored}"
    index.add_list(listed, [(name, stored, 5) for name in names])
    index.add_point(number, mark="m", lists=[listed], objects=[])


@pytest.fixture
def index() -> SqliteRepositoryIndex:
    return opened()


def test_objects_of_committed_points_are_known(index):
    with_point(index, 1, "a", "b")
    index.add_point(2, mark="m", lists=[], objects=[("own", "t", 9)])
    assert index.stored("a") == ("s", 5)
    assert index.stored("own") == ("t", 9)
    assert index.unknown(["a", "b", "c", "own"]) == {"c"}
    assert index.points() == {1: "m", 2: "m"}


def test_objects_of_forgotten_points_are_unknown_unless_another_point_needs_them(index):
    with_point(index, 1, "a", "b")
    with_point(index, 2, "b", "c")
    index.add_point(3, mark="m", lists=["list of b c s"], objects=[])
    index.forget_points([1])
    assert index.unknown("abc") == {"a"}
    index.forget_points([2])
    assert index.unknown("abc") == {"a"}
    index.forget_points([3])
    assert index.unknown("abc") == {"a", "b", "c"}
    assert index.missing_lists(["list of b c s"]) == ("list of b c s",)


def test_lists_that_are_needed_keep_the_time_of_their_check(index):
    with_point(index, 1, "a")
    with_point(index, 2, "b")
    index.set_checked({f"list of {name} s": Checked(7, damaged=False) for name in "ab"})
    index.forget_points([1])
    assert set(index.checked(["list of a s", "list of b s"])) == {"list of b s"}


def test_a_list_makes_nothing_known_before_its_point(index):
    index.add_list("list", [("a", "s", 5)])
    assert index.stored("a") is None


def test_condemned_and_damaged_objects_are_unknown_until_stored_again(index):
    with_point(index, 1, "a", "b", "c")
    index.set_condemned(["a"])
    index.set_checked({"b": Checked(7, damaged=True), "c": Checked(8, damaged=False)})
    assert index.unknown("abc") == {"a", "b"}
    assert index.damaged() == {"b"}
    for name in "ab":
        index.added(name, "new", 6)
    assert index.stored("a") == index.stored("b") == ("new", 6)
    assert index.damaged() == frozenset()
    assert index.checked("abcd") == {"c": Checked(8, damaged=False)}
    index.set_condemned([])
    assert index.unknown("abc") == frozenset()


def test_files_are_found_by_all_that_identifies_them(index):
    with_point(index, 1, "a")
    index.add_files([(key("p"), ref("a"))])
    others = [key("p", uuid="u-2"), key("p", size=4), key("p", version="v2"), key("q")]
    assert index.files([key("p"), *others]) == {key("p"): KnownFile(ref("a"), pending=False)}
    assert index.files(others) == {}


def test_a_newer_version_of_a_path_replaces_the_older(index):
    with_point(index, 1, "a", "b")
    index.add_files([(key("p"), ref("a"))])
    index.add_files([(key("p", version="v2"), ref("b"))])
    assert list(index.files([key("p"), key("p", version="v2")])) == [key("p", version="v2")]


def test_a_file_comes_with_its_object_as_it_is_stored_now(index):
    with_point(index, 1, "a", stored="old")
    index.add_files([(key("p"), ref("a", stored="old"))])
    with_point(index, 2, "a", stored="healed")
    assert index.files([key("p")])[key("p")].ref == ref("a", stored="healed")


def test_files_of_unknown_objects_are_unknown(index):
    with_point(index, 1, "a", "b", "c")
    index.add_files([(key(name), ref(name)) for name in "abcd"])
    index.set_condemned(["b"])
    index.set_checked({"c": Checked(1, damaged=True)})
    assert set(index.files([key(name) for name in "abcd"])) == {key("a")}


def test_what_a_killed_run_stored_is_pending_in_the_next_and_certain_in_its_own(tmp_path):
    file = tmp_path / "i.db"
    with closing(opened(file)) as index:
        index.added("a", "s", 5)
        index.add_files([(key("p"), ref("a"))])
        assert index.files([key("p")])[key("p")] == KnownFile(ref("a"), pending=False)
        assert index.stored("a") == ("s", 5)
    with closing(opened(file)) as index:
        assert index.files([key("p")])[key("p")] == KnownFile(ref("a"), pending=True)
        assert index.stored("a") is None
        index.added("a", "s", 5)
        assert index.files([key("p")])[key("p")] == KnownFile(ref("a"), pending=False)


def test_pending_objects_outlive_a_forgotten_point_and_condemned_ones_do_not_count(tmp_path):
    file = tmp_path / "i.db"
    with closing(opened(file)) as index:
        with_point(index, 1, "x")
        index.added("a", "s", 5)
        index.add_files([(key("p"), ref("a")), (key("x"), ref("x"))])
    with closing(opened(file)) as index:
        index.forget_points([1])
        assert set(index.files([key("p"), key("x")])) == {key("p")}
        index.set_condemned(["a"])
        assert index.files([key("p")]) == {}


def test_everything_survives_the_process(tmp_path):
    file = tmp_path / "new" / "i.db"
    with closing(opened(file)) as index:
        with_point(index, 1, "a")
        index.add_files([(key("p"), ref("a"))])
        index.set_checked({"a": Checked(7, damaged=False)})
    with closing(opened(file)) as index:
        assert index.points() == {1: "m"}
        assert index.files([key("p")]) == {key("p"): KnownFile(ref("a"), pending=False)}
        assert index.checked(["a"]) == {"a": Checked(7, damaged=False)}
        index.clear()
        assert index.points() == {}
        assert index.files([key("p")]) == {}
        assert index.checked(["a"]) == {}


def _other_repository(file: Path) -> None:
    opened(file, "r-2").close()


def _other_database(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE points (number)")
        database.commit()


def _later_schema(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE about SET schema_version = 99")
        database.commit()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"no database at all" * 999),
        lambda file: file.write_bytes(file.read_bytes()[:5000]),
        lambda file: file.write_bytes(file.read_bytes()[:100] + b"\xff" * 9000),
        lambda file: file.write_bytes(file.read_bytes()[:-20_000] + b"\xff" * 20_000),
        lambda file: file.unlink() or _other_repository(file),
        lambda file: file.unlink() or _other_database(file),
        _later_schema,
    ],
    ids=[
        "empty",
        "text",
        "cut",
        "overwritten",
        "end-overwritten",
        "of-another",
        "foreign",
        "later",
    ],
)
def test_what_is_not_this_index_is_thrown_away(tmp_path, spoil):
    file = tmp_path / "i.db"
    with closing(opened(file)) as index:
        with_point(index, 1, *(f"name {i}" for i in range(500)))
    spoil(file)
    with closing(opened(file)) as index:
        assert index.points() == {}
        with_point(index, 2, "a")
    with closing(opened(file)) as index:
        assert index.stored("a") == ("s", 5)


def test_an_altered_row_is_not_believed(tmp_path):
    """SQLite itself notices nothing here."""
    file = tmp_path / "i.db"
    with closing(opened(file)) as index:
        with_point(index, 1, "objA", "objB", stored="stored-hash")
        index.add_files([(key("path-1"), ref("objA")), (key("path-2"), ref("objB"))])
    content = file.read_bytes()
    assert content.count(b"plain objA") == 1
    file.write_bytes(content.replace(b"plain objA", b"plain objX"))
    with closing(opened(file)) as index:
        assert set(index.files([key("path-1"), key("path-2")])) == {key("path-2")}
    file.write_bytes(content.replace(b"stored-hash", b"stored-hasH"))
    with closing(opened(file)) as index:
        assert index.stored("objA") is None
        assert index.files([key("path-2")]) == {}


def test_a_folder_in_its_place_is_an_error_that_names_it(tmp_path):
    (tmp_path / "i.db").mkdir()
    with pytest.raises(ConfigurationError, match=r"i\.db cannot be made"):
        opened(tmp_path / "i.db")


def test_a_source_that_fails_leaves_no_half_list(index):
    def failing():
        yield from ((f"n{i}", "s", 5) for i in range(BATCH + 1))
        raise KeyError

    with pytest.raises(KeyError):
        index.add_list("list", failing())
    assert index.missing_lists(["list"]) == ("list",)


def test_threads_and_a_second_process_may_use_it(tmp_path):
    file = tmp_path / "i.db"
    with closing(opened(file)) as index, closing(opened(file)) as other:

        def add(part: int) -> None:
            for i in range(400):
                index.added(f"{part}-{i}", "s", 5)
                assert index.stored(f"{part}-{i}") == ("s", 5)
            other.set_checked({f"{part}": Checked(part, damaged=False)})

        threads = [threading.Thread(target=add, args=(part,)) for part in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert index.unknown(f"{p}-{i}" for p in range(6) for i in range(400)) == frozenset()
        assert len(index.checked(str(p) for p in range(6))) == 6


def test_a_lookup_reads_no_table_from_end_to_end():
    with closing(open_database(None, repository_id="r-1")) as database:
        for statement, arguments in ((SQL.files, ("r", "[]", "u")), (SQL.stored, ("n", "r"))):
            plan = database.execute(f"EXPLAIN QUERY PLAN {statement}", arguments).fetchall()
            scanned = {row[3].split()[1] for row in plan if row[3].startswith("SCAN")}
            assert scanned <= {"w", "r", "CONSTANT"}, plan


def test_a_large_lake_is_looked_up_in_little_memory():
    folder = "file:///warehouse/raw/table/data"
    keys = [key(f"{folder}/part={i % 99}/{i:09d}.parquet") for i in range(MANY)]
    with closing(opened()) as index:
        index.add_list("list", ((f"{i:064x}", "s", 5) for i in range(MANY)))
        index.add_point(1, mark="m", lists=["list"], objects=[])
        index.add_files((k, ref(f"{i:064x}")) for i, k in enumerate(keys))
        tracemalloc.start()
        found = sum(len(index.files(keys[at : at + BATCH])) for at in range(0, MANY, BATCH))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert found == MANY
    assert peak < 4_000_000
