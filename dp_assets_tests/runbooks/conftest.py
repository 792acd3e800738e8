"""Scenes whose shell runs `dp` in forks of one warm process."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

import pytest

from dp_assets_tests.runbooks.pages import ROOT
from dp_assets_tests.runbooks.scenes import Scene, make_scene

ASKING = Path(__file__).with_name("asking.py")
MakeScene = Callable[..., Scene]


@pytest.fixture(scope="session")
def warm_dp() -> Generator[str, None, None]:
    """What to type for `dp`; as quick as it can be, and a process for each command all the same."""
    # The address of a socket must be shorter than most folders of tests are.
    with tempfile.TemporaryDirectory(prefix="dp-") as folder:
        address = f"{folder}/dp"
        warm = subprocess.Popen(
            [sys.executable, "-m", "dp_assets_tests.runbooks.warm", address],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        with warm:
            try:
                assert warm.stdout
                assert warm.stdout.readline() == b"ready\n"
                yield shlex.join([sys.executable, "-IS", str(ASKING), address])
            finally:
                warm.kill()


@pytest.fixture
def make(tmp_path: Path, warm_dp: str) -> MakeScene:
    """``make_scene`` in this test's folder, with the warm `dp`."""
    return partial(make_scene, tmp_path, dp=warm_dp)


@pytest.fixture
def scene(make: MakeScene) -> Scene:
    """The usual one."""
    return make()
