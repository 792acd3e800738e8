"""Sealing: standard age files, in bounded memory, and no key in any message."""

import io
import shutil
import subprocess
import tracemalloc

import pyrage
import pytest

from dp_assets.adapters.recovery.sealing import AgeSealing, PlainSealing
from dp_assets.core.errors import ConfigurationError, TransientError
from dp_assets.core.secrets import Secret
from dp_assets.ports.object_store import CHUNK_BYTES, DamagedObjectError
from dp_assets_tests.domains.backup.repositories import NAMING_KEY, person

TEXT = b"hello " * 50_000


def sealed(text: bytes, *recipients: str) -> bytes:
    out = io.BytesIO()
    AgeSealing(recipients=recipients).seal(io.BytesIO(text), out)
    return out.getvalue()


def unsealed(stored: bytes, *identities: Secret) -> bytes:
    out = io.BytesIO()
    AgeSealing(identities=identities).unseal(io.BytesIO(stored), out)
    return out.getvalue()


def test_the_standard_library_of_age_opens_it():
    alice, bob = person(), person()
    stored = sealed(TEXT, alice.public, bob.public)
    assert stored.startswith(b"age-encryption.org/v1\n-> X25519 ")
    for one in (alice, bob):
        identity = pyrage.x25519.Identity.from_str(one.private.reveal())
        assert pyrage.decrypt(stored, [identity]) == TEXT


@pytest.mark.skipif(not shutil.which("age"), reason="no age; Debian: apt-get install age")
def test_the_standard_tool_opens_it_and_we_open_its_files(tmp_path):
    alice = person()
    key, file = tmp_path / "key", tmp_path / "file"
    key.write_text(alice.private.reveal())
    file.write_bytes(sealed(TEXT, alice.public))
    said = subprocess.run(["age", "-d", "-i", key, file], capture_output=True, check=True)
    assert said.stdout == TEXT
    said = subprocess.run(["age", "-r", alice.public], input=TEXT, capture_output=True, check=True)
    assert unsealed(said.stdout, alice.private) == TEXT


def test_sealing_twice_gives_different_bytes_and_the_same_name():
    alice = person()
    assert sealed(b"x", alice.public) != sealed(b"x", alice.public)
    names = {AgeSealing(naming_key=NAMING_KEY).name_of("ab" * 32) for _ in range(2)}
    assert len(names) == 1
    assert names != {AgeSealing(naming_key=Secret("11" * 32)).name_of("ab" * 32)}


def test_a_lost_key_opens_nothing_and_a_wrong_one_is_one_clear_error():
    alice, eve = person(), person()
    stored = sealed(TEXT, alice.public)
    with pytest.raises(ConfigurationError, match="none of the given private keys opens"):
        unsealed(stored, eve.private)
    with pytest.raises(ConfigurationError, match="no private key was given"):
        unsealed(stored)


def test_damage_is_not_taken_for_a_wrong_key():
    alice = person()
    stored = bytearray(sealed(TEXT, alice.public))
    stored[-1] ^= 1
    with pytest.raises(DamagedObjectError, match="does not decrypt"):
        unsealed(bytes(stored), alice.private)


@pytest.mark.parametrize("side", ["reader", "writer"])
def test_the_error_of_a_source_or_target_comes_out_as_it_is(side):
    class Broken(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise TransientError("cut off", hint="again")

        def write(self, *_: object) -> int:
            raise TransientError("cut off", hint="again")

    alice = person()
    reader = Broken() if side == "reader" else io.BytesIO(TEXT)
    writer = Broken() if side == "writer" else io.BytesIO()
    with pytest.raises(TransientError, match="cut off"):
        AgeSealing(recipients=[alice.public]).seal(reader, writer)
    reader = Broken() if side == "reader" else io.BytesIO(sealed(TEXT, alice.public))
    with pytest.raises(TransientError, match="cut off"):
        AgeSealing(identities=[alice.private]).unseal(reader, writer)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"recipients": ["age1nonsense"]}, "not an age public key: 'age1nonsense'"),
        pytest.param({"identities": [Secret("nonsense")]}, "is not an age key"),
        pytest.param({"naming_key": Secret("abc")}, "not 64 hexadecimal digits"),
        pytest.param({"naming_key": Secret("zz" * 32)}, "not 64 hexadecimal digits"),
    ],
)
def test_what_is_no_key_is_refused(given, said):
    with pytest.raises(ConfigurationError, match=said):
        AgeSealing(**given)


def test_a_private_key_given_for_a_public_one_is_not_shown():
    private = person().private
    with pytest.raises(ConfigurationError, match="a private key") as caught:
        AgeSealing(recipients=[private.reveal()])
    assert private.reveal() not in str(caught.value)
    broken = Secret(private.reveal()[:-1])
    with pytest.raises(ConfigurationError) as caught:
        AgeSealing(identities=[broken])
    assert broken.reveal() not in str(caught.value)


def test_without_recipients_or_a_naming_key_nothing_is_stored():
    with pytest.raises(ConfigurationError, match="no recipient is known"):
        AgeSealing().seal(io.BytesIO(b"x"), io.BytesIO())
    with pytest.raises(ConfigurationError, match="no naming key was given"):
        AgeSealing().name_of("ab" * 32)


class Endless:
    """Zeros, in pieces, without ever being in memory as a whole."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int, /) -> bytes:
        piece = bytes(min(size, self.left, CHUNK_BYTES))
        self.left -= len(piece)
        return piece


class Counting:
    def __init__(self) -> None:
        self.size = 0

    def write(self, data: bytes, /) -> int:
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("kind", ["plain", "age"])
def test_a_large_file_passes_in_little_memory(kind):
    sealing = PlainSealing() if kind == "plain" else AgeSealing(recipients=[person().public])
    size, out = 64 << 20, Counting()
    tracemalloc.start()
    sealing.seal(Endless(size), out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size <= out.size < size * 1.01
    assert peak < 8 << 20
