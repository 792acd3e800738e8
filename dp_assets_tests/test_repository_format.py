"""`docs/formats/repository.md`: its examples are what is stored, its commands read it."""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from dp_assets.adapters.objects.object_store_local import LocalObjectStore
from dp_assets.domains.backup import opening, pins, points, prune, recipients
from dp_assets.domains.backup.verification import is_ours
from dp_assets.ports import recovery
from dp_assets_tests.domains.backup.repositories import (
    Person,
    committed_point,
    person,
    plain_repository,
    sealed_repository,
)

PAGE = Path(__file__).parent.parent / "docs/formats/repository.md"
FILES = {"file:///w/t/data/a.parquet": b"the first", "file:///w/t/data/b.parquet": b"the second"}
KINDS = {
    kind.__name__: kind
    for module in (recovery, opening, points, pins, prune, recipients)
    for kind in vars(module).values()
    if dataclasses.is_dataclass(kind)
}
AGE = f"""#!{sys.executable}
import sys, pyrage
identity = [line for line in open(sys.argv[3]) if line.startswith("AGE-")][0].strip()
key = pyrage.x25519.Identity.from_str(identity)
sys.stdout.buffer.write(pyrage.decrypt(open(sys.argv[4], "rb").read(), [key]))
"""


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def examples() -> list[tuple[str, str]]:
    return re.findall(r"^### [^\n]*\((\w+)\)[^\n]*\n.*?```json\n(.*?)```", text(), re.M | re.S)


def commands() -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```", text(), re.M | re.S)


@pytest.mark.parametrize(("name", "example"), examples(), ids=[name for name, _ in examples()])
def test_an_example_has_every_field_and_no_other(name, example):
    kind = TypeAdapter(KINDS[name])
    shown = json.loads(example)
    assert kind.dump_python(kind.validate_python(shown), mode="json") == shown


def test_every_document_is_shown():
    assert [name for name, _ in examples()] == [
        "Description",
        "Claim",
        "PointRecord",
        "PointManifest",
        "TableContent",
        "References",
        "Tombstone",
        "Condemned",
        "Pin",
        "ProofRecord",
        "Recipients",
    ]


@pytest.mark.parametrize("encrypted", [False, True])
def test_the_layout_is_whole(tmp_path, encrypted):
    store = LocalObjectStore(tmp_path)
    repository = sealed_repository(store, person()) if encrypted else plain_repository(store)
    number = committed_point(repository, FILES)
    points.Points(repository).forget(number, now_ms=1, reason="test")
    committed_point(repository, FILES)
    layout = text().split("## Layout\n```\n")[1].split("```")[0]
    pattern = "|".join(
        re.sub(r"<[^>]*>", "[0-9a-z-]+", re.escape(word).replace("\\ ", " "))
        for line in layout.splitlines()
        for word in re.split(r"\s{2,}", line)[:2]
        if "." in word or "/" in word
    )
    keys = [info.key.removesuffix(".age") for info in store.list("")]
    assert [key for key in keys if not re.fullmatch(pattern, key)] == []
    assert len({key.split("/")[0] for key in keys}) >= 4
    assert all(is_ours(key) or key.startswith("objects/") for key in keys)


@pytest.fixture
def age(tmp_path: Path) -> str:
    """A PATH with the standard tool, or with one like it on the same library's format."""
    if shutil.which("age"):
        return os.environ["PATH"]
    tool = tmp_path / "bin" / "age"
    tool.parent.mkdir()
    tool.write_text(AGE)
    tool.chmod(0o755)
    return f"{tool.parent}:{os.environ['PATH']}"


def ran(script: str, **variables: str) -> list[str]:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_it_is_read_by_hand(tmp_path, age, encrypted):
    reader: Person = person()
    store = LocalObjectStore(tmp_path / "repo")
    repository = sealed_repository(store, reader) if encrypted else plain_repository(store)
    committed_point(repository, FILES)
    key, out = tmp_path / "key", tmp_path / "out"
    key.write_text(reader.private.reveal())
    out.mkdir()
    record, plain, sealed, everything = commands()
    variables = {"REPO": str(tmp_path / "repo"), "POINT": "00000001", "PATH": age}
    hashed, noted = ran(record, **variables)
    assert hashed.split()[0] == noted
    more = {"OUT": str(out), "FILE": "b.parquet", "KEY": str(key)}
    said = ran(sealed if encrypted else plain, **variables, **more)
    wanted = FILES["file:///w/t/data/b.parquet"]
    assert (out / "file").read_bytes() == wanted
    assert said[-1].split()[0] == hashlib.sha256(wanted).hexdigest()
    assert json.loads((out / "manifest.json").read_text())["number"] == 1
    if not encrypted:
        assert said[1].split()[0] in said[0]
        assert ran(everything, **variables) == []
