"""A bucket that fails while a verb is at work: bounded time, one clear error, nothing half-visible.

The faults are made by a proxy before a real server. Time is bounded by the limit of the tests:
without deadlines of our own a server that hangs would cost minutes.
"""

import secrets
from collections.abc import Generator
from pathlib import Path

import pytest

from deploy.dev.state import Service
from dp_assets.cli.exits import ExitCode
from dp_assets_tests.adapters.faulty_s3 import TOLD, faulty, listing
from dp_assets_tests.cli.conftest import Dp, Said
from dp_assets_tests.recovery.shaky import WORDS, Shaky, data_object_of, heal, visible
from dp_assets_tests.services import S3
from dp_assets_tests.usecases.backup.backups import backup, check_repository, points_of

pytestmark = pytest.mark.timeout(60, method="thread")
FAULTS = {
    403: "access denied",
    500: "the server fails",
    503: "too busy",
    "drop": "the connection broke",
    "hang": "no answer in time",
}
FAILING = {"backup": r"PUT .*/objects/", "verify": r"GET .*/objects/"}


@pytest.fixture(scope="module")
def shaky_lake(seaweed: Service, tmp_path_factory: pytest.TempPathFactory) -> Generator[Shaky]:
    s3 = S3(seaweed, prefix=f"t{secrets.token_hex(6)}")
    with faulty(seaweed.address) as proxy:
        yield Shaky(s3, proxy, tmp_path_factory.mktemp("shaky"))


@pytest.fixture
def shaky(shaky_lake: Shaky) -> Generator[Shaky]:
    """Whole again after each test."""
    shaky_lake.add_rows()
    yield shaky_lake
    heal(shaky_lake.proxy)


def require_clear(said: Said, shaky: Shaky, words: str) -> None:
    """One error about one object, and no secret."""
    assert words in said.err, said.err
    assert f"{shaky.s3.url}/backups" in said.err
    assert "hint: " in said.err
    assert "Traceback" not in said.err
    for secret in (TOLD, shaky.s3.properties["s3.secret-access-key"]):
        assert secret not in said.out + said.err


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("verb", WORDS)
def test_a_server_that_fails(shaky: Shaky, dp: Dp, home: Path, verb: str, fault: int | str):
    """In the middle of its work: a restore has written other files by then."""
    before = points_of(shaky.settings).numbers()
    matching = FAILING.get(verb) or f"GET .*{data_object_of(shaky.settings, 'shop.things')}"
    shaky.proxy.fault, shaky.proxy.matching = fault, matching
    said = shaky.run(dp, verb)
    assert said.code == ExitCode.OPERATION_FAILED, (said.out, said.err)
    require_clear(said, shaky, FAULTS[fault])
    heal(shaky.proxy)
    assert points_of(shaky.settings).numbers() == before
    require_works(shaky, dp, home, verb)


def require_works(shaky: Shaky, dp: Dp, home: Path, verb: str) -> None:
    """The same again, with a server that is well."""
    assert b"<Upload>" not in shaky.s3.unfinished_uploads()
    if verb == "restore":
        assert set(visible(home)) == set()
        words = ["--config", str(shaky.settings.path), *WORDS[verb]]
        if (home / "new" / "lakehouse.yaml").exists():
            words.append("--resume")
        said = dp(*words)
        assert said.code == 0, said.err
        assert set(visible(home)) == {"shop.orders", "shop.things"}
        return
    said = shaky.run(dp, verb)
    assert said.code == 0, said.out + said.err
    if verb == "backup":
        assert said.json["complete"]
        check_repository(shaky.settings, newest=1)


@pytest.mark.parametrize("verb", ["verify", "restore"])
def test_an_object_that_is_not_there(shaky: Shaky, dp: Dp, home: Path, verb: str):
    """A finding, no failure of the server: verify ends with 1, restore brings the other table."""
    assert backup(shaky.settings).record.complete
    name = data_object_of(shaky.settings, "shop.things")
    shaky.proxy.fault, shaky.proxy.matching = 404, f"/objects/.*{name}"
    said = shaky.run(dp, verb)
    if verb == "verify":
        assert said.code == ExitCode.CHECK_FAILED, said.err
        assert name in said.out
        assert "shop.things" in said.out
    else:
        assert said.code == ExitCode.OPERATION_FAILED, said.err
        assert [one["table"] for one in said.json["refused"]] == ["shop.things"]
        assert set(visible(home)) == {"shop.orders"}
    heal(shaky.proxy)
    assert shaky.run(dp, "verify").code == 0


@pytest.mark.parametrize("verb", WORDS)
def test_answers_cut_in_half_are_read_again(shaky: Shaky, dp: Dp, home: Path, verb: str):
    shaky.proxy.fault, shaky.proxy.matching, shaky.proxy.times = "cut", r"GET .*/backups/", 2
    said = shaky.run(dp, verb)
    assert said.code == 0, said.out + said.err
    assert shaky.proxy.times == 0
    if verb == "restore":
        assert set(visible(home)) == {"shop.orders", "shop.things"}


@pytest.mark.parametrize("verb", WORDS)
def test_a_listing_that_repeats_a_page_ends(shaky: Shaky, dp: Dp, home: Path, verb: str):
    before = points_of(shaky.settings).numbers()
    key = f"{shaky.s3.prefix}/backups/points/00000001/record.json"
    shaky.proxy.fault = listing(key, following="again")
    shaky.proxy.matching = r"GET .*list-type=2"
    said = shaky.run(dp, verb)
    assert said.code == ExitCode.OPERATION_FAILED, (said.out, said.err)
    require_clear(said, shaky, "listing")
    heal(shaky.proxy)
    assert points_of(shaky.settings).numbers() == before
    require_works(shaky, dp, home, verb)
