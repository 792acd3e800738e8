"""Making and opening the repository of the settings: every refusal, and where keys are not."""

import shutil

import pytest

from dp_assets.adapters.objects.object_store_local import LocalObjectStore
from dp_assets.adapters.recovery.key_files import (
    make_identity_file,
    make_naming_key_file,
    public_keys,
)
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.domains.backup.documents import checked
from dp_assets.domains.backup.index import refresh
from dp_assets.domains.backup.opening import describe
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.recipients import Recipient
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.indexing import opened_index, rebuild_index
from dp_assets.usecases.backup.making_repository import (
    MadeRepository,
    NewKeys,
    change_recipients,
    current_recipients,
    init_repository,
)
from dp_assets.usecases.backup.repositories import (
    describe_repository,
    leases_of,
    open_at,
    open_for_reading,
    open_for_writing,
    require_outside_warehouse,
)
from dp_assets_tests.domains.backup.repositories import added, committed_point, person
from dp_assets_tests.usecases.backup.conftest import Given

FILES = {"a.parquet": b"the content that nobody may see", "b.parquet": b"bb"}


def made(settings: Settings, keys: NewKeys | None = None) -> MadeRepository:
    return init_repository(settings, keys=keys, now_ms=1000)


def sealed_settings(given: Given, keys: NewKeys, **more: object) -> Settings:
    """The settings that `dp repo init` proposes."""
    assert keys.identity
    (public,) = public_keys(keys.identity)
    return given(recipients=f"[{public}]", naming_key=f"file:{keys.naming_key}", **more)


def test_a_plain_repository_is_made_once(given, tmp_path):
    first = made(given())
    assert first.made == (f"repository {tmp_path / '.lakehouse' / 'repository'}",)
    again = made(given())
    assert again.made == ()
    assert again.description == first.description
    ref = added(open_for_writing(given()), b"x")
    assert open_at(str(tmp_path / ".lakehouse/repository")).read(ref) == b"x"


def test_a_lost_copy_of_the_description_comes_back(given, tmp_path):
    made(given())
    copy = tmp_path / ".lakehouse/repository/repository.copy.json"
    content = copy.read_bytes()
    copy.unlink()
    made(given())
    assert copy.read_bytes() == content


def test_an_encrypted_repository_is_written_with_public_keys_and_read_with_the_private_one(
    given, keys
):
    done = made(given(), keys)
    assert [what.rpartition(" ")[0] for what in done.made] == [
        "naming key",
        "private key",
        "repository",
    ]
    writer = open_for_writing(sealed_settings(given, keys))
    committed_point(writer, FILES)
    with pytest.raises(ConfigurationError, match="no private key was given"):
        Points(writer).manifest(Points(writer).record(1))
    reader = Points(open_for_reading(given(), key_files=[keys.identity]))
    assert reader.manifest(reader.record(1)).number == 1
    also = Points(open_for_reading(given(identity_files=f"[{keys.identity}]")))
    assert also.manifest(also.record(1)).number == 1


def test_key_files_that_are_there_are_used_as_they_are(given, keys):
    make_naming_key_file(keys.naming_key)
    make_identity_file(keys.identity, now_ms=1)
    before = [keys.naming_key.read_bytes(), keys.identity.read_bytes()]
    assert len(made(given(), keys).made) == 1
    assert [keys.naming_key.read_bytes(), keys.identity.read_bytes()] == before


def test_public_keys_and_a_naming_key_in_the_settings_are_enough(given, keys):
    make_naming_key_file(keys.naming_key)
    alice = person()
    settings = given(recipients=f"[{alice.public}]", naming_key=f"file:{keys.naming_key}")
    done = made(settings)
    assert done.description.encrypted
    assert current_recipients(settings) == (Recipient(alice.public),)


def test_no_key_is_in_the_repository_the_state_or_an_error(given, keys, tmp_path):
    made(given(), keys)
    settings = sealed_settings(given, keys)
    writer = open_for_writing(settings)
    committed_point(writer, FILES)
    with opened_index(settings, writer) as index:
        refresh(Points(writer), writer, index)
    private = keys.identity.read_text().splitlines()[-1]
    naming = keys.naming_key.read_text().strip()
    secrets = [private.encode(), naming.encode(), bytes.fromhex(naming), *FILES.values()]
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        if file.parent != keys.naming_key.parent:
            content = file.read_bytes()
            assert [s for s in secrets if len(s) > 2 and s in content] == [], file
    assert private not in repr(settings)
    assert naming not in repr(settings)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        pytest.param((None, "identity"), "needs a naming key", id="no-naming-key"),
        pytest.param(("naming", None), "needs somebody who can read it", id="no-identity"),
        pytest.param((".lakehouse/repository/n", "i"), "would lie in the repository", id="inside"),
        pytest.param(("n", ".lakehouse/warehouse/i"), "would lie in the warehouse", id="warehouse"),
    ],
)
def test_keys_must_be_given_and_lie_elsewhere(given, tmp_path, names, said):
    naming, identity = (tmp_path / name if name else None for name in names)
    with pytest.raises(ConfigurationError, match=said):
        made(given(), NewKeys(naming, identity))
    assert [path.name for path in tmp_path.iterdir()] == ["lakehouse.yaml"]


@pytest.mark.parametrize(
    "url",
    [
        "'{state}/warehouse'",
        "'{state}/warehouse/repository'",
        "'{state}'",
        "'{state}/link'",
    ],
)
def test_it_may_not_lie_in_the_warehouse_nor_around_it(given, tmp_path, url):
    (tmp_path / ".lakehouse/warehouse").mkdir(parents=True)
    (tmp_path / ".lakehouse/link").symlink_to(tmp_path / ".lakehouse/warehouse")
    for doing in (made, open_for_writing):
        with pytest.raises(ConfigurationError, match="lie in each other"):
            doing(given(url=url))


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("s3://lake/warehouse/backup", True),
        ("s3a://lake/warehouse", True),
        ("s3://lake", True),
        ("s3://lake/warehouse2", False),
        ("s3://other/warehouse", False),
    ],
)
def test_buckets_are_compared_by_their_prefixes(given, tmp_path, url, refused):
    file = tmp_path / "s3.yaml"
    file.write_text(f"warehouse:\n  root: s3://lake/warehouse/\nrepository:\n  url: {url}\n")
    settings = load_settings(file, env={})
    if refused:
        with pytest.raises(ConfigurationError, match="lie in each other"):
            require_outside_warehouse(settings)
    else:
        require_outside_warehouse(settings)


def test_a_repository_of_the_other_kind_is_left_as_it_is(given, keys):
    made(given())
    with pytest.raises(PermanentError, match="already, and it is not encrypted"):
        made(given(), keys)


def test_a_plain_repository_put_in_the_place_of_an_encrypted_one_gets_nothing(
    given, keys, tmp_path
):
    made(given(), keys)
    settings = sealed_settings(given, keys)
    shutil.rmtree(tmp_path / ".lakehouse/repository")
    made(given())
    with pytest.raises(ConfigurationError, match="not encrypted, and the settings ask for it"):
        open_for_writing(sealed_settings(given, keys))
    del settings


def test_a_writer_without_or_with_a_wrong_naming_key_is_refused_at_once(given, keys, tmp_path):
    made(given(), keys)
    with pytest.raises(ConfigurationError, match="no naming key was given"):
        open_for_writing(given())
    wrong = tmp_path / "wrong"
    make_naming_key_file(wrong)
    with pytest.raises(ConfigurationError, match="naming key is not that of the repository"):
        open_for_writing(given(naming_key=f"file:{wrong}"))


def test_a_server_that_lets_two_win_gets_one_writer_who_says_so(given, tmp_path):
    made(given())
    store = LocalObjectStore(tmp_path / ".lakehouse/repository")
    found = describe(store)
    text = checked(found).replace(b'"one_winner":true', b'"one_winner":false').split(b"\n")[0]
    import hashlib

    for name in ("repository.json", "repository.copy.json"):
        store.put(name, text + b"\n" + hashlib.sha256(text).hexdigest().encode() + b"\n")
    with pytest.raises(ConfigurationError, match="ignores create-if-absent"):
        open_for_writing(given())
    assert open_for_writing(given(only_writer="true"))
    assert open_for_reading(given())


def test_recipients_change_for_new_objects_only(given, keys, tmp_path):
    made(given(), keys)
    unpinned = given(naming_key=f"file:{keys.naming_key}")
    (old,) = public_keys(keys.identity)
    bob = person()
    before = added(open_for_writing(unpinned), b"before")
    change_recipients(unpinned, add=[Recipient(bob.public, "bob")], remove=[old], now_ms=2)
    assert current_recipients(unpinned) == (Recipient(bob.public, "bob"),)
    after = added(open_for_writing(unpinned), b"after")
    bobs = tmp_path / "bob"
    bobs.write_text(bob.private.reveal())
    reader = open_for_reading(given(), key_files=[bobs])
    assert reader.read(after) == b"after"
    with pytest.raises(ConfigurationError, match="none of the given private keys"):
        reader.read(before)
    assert open_for_reading(given(), key_files=[keys.identity]).read(before) == b"before"


def test_recipients_that_the_settings_do_not_name_stop_a_writer(given, keys):
    made(given(), keys)
    pinned = sealed_settings(given, keys)
    change_recipients(pinned, add=[Recipient(person().public)], remove=[], now_ms=2)
    with pytest.raises(ConfigurationError, match="find out who wrote there"):
        open_for_writing(pinned)


def test_a_damaged_list_of_recipients_is_mended_from_the_settings(given, keys, tmp_path):
    made(given(), keys)
    file = tmp_path / ".lakehouse/repository/recipients/00000001.json"
    file.write_bytes(file.read_bytes()[1:])
    bob = Recipient(person().public)
    with pytest.raises(PermanentError, match=r"00000001\.json"):
        change_recipients(given(), add=[bob], remove=[], now_ms=2)
    pinned = sealed_settings(given, keys)
    change_recipients(pinned, add=[bob], remove=[], now_ms=2)
    assert [one.key for one in current_recipients(pinned)] == [*public_keys(keys.identity), bob.key]


def test_what_is_no_public_key_is_refused(given, keys):
    made(given(), keys)
    with pytest.raises(ConfigurationError, match="not an age public key"):
        change_recipients(given(), add=[Recipient("age1x")], remove=[], now_ms=2)


def test_the_index_is_made_again_from_the_repository(given, keys):
    made(given(), keys)
    settings = sealed_settings(given, keys)
    committed_point(open_for_writing(settings), FILES)
    blind = rebuild_index(settings, open_for_reading(settings))
    assert (blind.points, blind.files, blind.files_unread) == (1, 0, 1)
    seeing = rebuild_index(settings, open_for_reading(settings, key_files=[keys.identity]))
    assert (seeing.points, seeing.files, seeing.files_unread) == (1, 2, 0)
    with opened_index(settings, open_for_reading(settings)) as index:
        assert set(index.points()) == {1}


def test_it_is_described_without_a_key(given, keys, tmp_path):
    made(given(), keys)
    committed_point(open_for_writing(sealed_settings(given, keys)), FILES)
    found = describe_repository(open_for_reading(given()))
    objects = [p for p in (tmp_path / ".lakehouse/repository/objects").rglob("*") if p.is_file()]
    assert (found.points, found.newest, found.newest_at_ms) == (1, 1, 3000)
    assert (found.objects, found.bytes) == (4, sum(p.stat().st_size for p in objects))
    assert [one.key for one in found.recipients] == list(public_keys(keys.identity))


def test_its_leases_keep_others_out(given):
    made(given())
    leases = leases_of(open_for_writing(given()).store)
    held = leases.acquire("backup", owner="me", ttl_ms=60_000, wait_ms=0)
    assert leases_of(open_for_reading(given()).store).held() == (held,)
