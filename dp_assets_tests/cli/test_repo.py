"""`dp repo`: made once, described without a key, and no key in any output."""

import json

import pytest

from dp_assets.lakehouse import load_settings
from dp_assets.usecases.backup.repositories import leases_of, open_for_writing
from dp_assets_tests.domains.backup.repositories import committed_point, person

ENCRYPT = ("repo", "init", "--encrypt", "--naming-key", "keys/n", "--identity", "keys/i")


def test_a_plain_repository_is_made_once_and_described(dp, home):
    made = dp("repo", "init")
    assert made.code == 0
    assert f"made repository {home}/.lakehouse/repository" in made.out
    again = dp("repo", "init")
    assert (again.code, "nothing was changed" in again.out) == (0, True)
    committed_point(open_for_writing(load_settings()), {"a": b"a"})
    found = dp("repo", "info", "--json").json
    assert (found["points"], found["newest"], found["encrypted"]) == (1, 1, False)
    assert found["description"]["one_winner"] is True
    shown = dp("repo", "info", "--repository", str(home / ".lakehouse/repository"))
    assert "\npoints      1\n" in shown.out


def test_an_encrypted_one_says_what_to_do_and_shows_no_key(dp, home):
    made = dp(*ENCRYPT)
    assert made.code == 0
    private = (home / "keys/i").read_text().splitlines()[-1]
    naming = (home / "keys/n").read_text().strip()
    assert f"!! The private key is in {home}/keys/i" in made.out
    proposed = made.out.split("put this into lakehouse.yaml:\n\n")[1].split("\n!!")[0]
    (home / "lakehouse.yaml").write_text(proposed)
    committed_point(open_for_writing(load_settings()), {"a": b"a", "b": b"b"})
    lines = (
        ENCRYPT,
        ("repo", "info"),
        ("repo", "info", "--json"),
        ("repo", "recipients"),
        ("repo", "rebuild-index"),
        ("repo", "rebuild-index", "--key", "keys/i"),
        ("repo", "rebuild-index", "--key", "keys/n"),
        ("repo", "recipients", "--add", private),
        ("config",),
    )
    said = [made, *(dp(*line) for line in lines)]
    assert [one.code for one in said] == [0, 0, 0, 0, 0, 0, 0, 2, 2, 0]
    for one in said:
        assert private not in one.out + one.err
        assert naming not in one.out + one.err
    for file in (path for path in (home / ".lakehouse").rglob("*") if path.is_file()):
        assert private.encode() not in file.read_bytes()
        assert naming.encode() not in file.read_bytes()
    assert "without a private key only the objects could be learnt" in said[5].out
    assert "files                 2" in said[6].out


def test_recipients_are_added_and_removed(dp, home):
    dp(*ENCRYPT)
    first = dp("repo", "recipients", "--json").json[0]["public_key"]
    bob = person().public
    added = dp("repo", "recipients", "--add", bob, "--comment", "bob")
    assert added.code == 0
    removed = dp("repo", "recipients", "--remove", first)
    assert "still reads everything stored until now" in removed.out
    assert dp("repo", "recipients", "--json").json == [{"public_key": bob, "comment": "bob"}]
    last = dp("repo", "recipients", "--remove", bob)
    assert (last.code, "the last recipient" in last.err) == (2, True)


def test_a_new_key_is_made_for_its_owner_only_added_and_not_shown(dp, home):
    dp(*ENCRYPT)
    said = dp("repo", "recipients", "--new-key", "safe/new.key", "--comment", "safe")
    file = home / "safe/new.key"
    assert (said.code, file.stat().st_mode & 0o777) == (0, 0o600)
    *_, public, private = file.read_text().splitlines()
    assert private not in said.out
    added = dp("repo", "recipients", "--json").json[-1]
    assert added == {"public_key": public.removeprefix("# public key: "), "comment": "safe"}


@pytest.mark.parametrize("file", ["keys/i", ".lakehouse/repository/k", ".lakehouse/warehouse/k"])
def test_a_new_key_overwrites_nothing_and_lies_elsewhere(dp, home, file):
    dp(*ENCRYPT)
    before = (home / "keys/i").read_bytes()
    said = dp("repo", "recipients", "--new-key", file)
    assert said.code == 2
    assert (home / "keys/i").read_bytes() == before
    assert len(dp("repo", "recipients", "--json").json) == 1
    assert file == "keys/i" or not (home / file).exists()


@pytest.mark.parametrize("verb", ["info", "leases", "recipients", "rebuild-index"])
def test_without_a_repository_every_verb_says_how_to_make_one(dp, verb):
    said = dp("repo", verb)
    assert said.code == 2
    assert "there is no repository at" in said.err
    assert "hint: 'dp repo init' makes one" in said.err


def test_leases_are_listed_with_their_owner(dp):
    dp("repo", "init")
    leases = leases_of(open_for_writing(load_settings()).store)
    leases.acquire("backup", owner="host pid 1", ttl_ms=60_000, wait_ms=0)
    (row,) = json.loads(dp("repo", "leases", "--json").out)
    assert (row["lease"], row["owner"], row["fencing"]) == ("backup", "host pid 1", 1)


def test_a_repository_in_the_warehouse_is_refused(dp, home):
    (home / "lakehouse.yaml").write_text("repository:\n  url: '{state}/warehouse/r'\n")
    said = dp("repo", "init")
    assert (said.code, "lie in each other" in said.err) == (2, True)
    assert not (home / ".lakehouse").exists()


def test_help_is_short_and_lists_the_verbs(dp):
    shown = dp("repo", "--help").out
    for verb in ("init", "info", "rebuild-index", "leases", "recipients"):
        assert f"\n  {verb} " in shown
    assert "..." not in shown.split("Commands:")[1]
    assert "  repo " in dp("--help").out
