"""The commands of a page that is followed, and a shell that runs them as a person would.

A ``console`` block holds the lines that are typed, each after ``$ ``. A command ends with 0, or
as its comment says: ``$ dp fsck   # ends with 1``.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TYPED = re.compile(r"\s*\$ (.*?)(?:\s+# ends with (\d))?$")
NEW_DP = shlex.join([sys.executable, "-m", "dp_assets.cli.main"])  # in a new interpreter
TIMEOUT_S = 120  # of one command; a page must not hang a suite


@dataclass(frozen=True)
class Command:
    """One typed line of a page, the heading it stands under, and how it ends."""

    heading: str
    text: str
    code: int


def commands_of(page: str) -> list[Command]:
    """Every command of ``<page>.md``, in order."""
    return list(commands_in((ROOT / f"{page}.md").read_text(encoding="utf-8")))


def commands_in(text: str) -> Iterator[Command]:
    """Every command of a page's text, in order."""
    heading, inside = "", False
    for line in text.splitlines():
        if line.startswith("#") and not inside:
            heading = line.lstrip("# ")
        elif line.strip().startswith("```"):
            inside = not inside and line.strip() == "```console"
        elif inside and (typed := TYPED.fullmatch(line)):
            yield Command(heading, typed[1], int(typed[2] or 0))


@dataclass
class Shell:
    """A folder, an environment in which `dp` is this checkout's, and what was said so far.

    Attributes:
        env: further variables, as the page names them.
        dp: what is run for `dp`.
        said: what each command printed, by its text.
    """

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    dp: str = NEW_DP
    said: dict[str, str] = field(default_factory=dict)

    def follow(self, page: str, *, only: str = "", leave_out: str = "") -> None:
        """Run the commands of a page; of one heading only, or all but those of one."""
        chosen = [
            command
            for command in commands_of(page)
            if (not only or command.heading == only)
            and not (leave_out and command.heading == leave_out)
        ]
        assert chosen, f"no command in {page} under {only!r}"
        for command in chosen:
            self.run(command)

    def run(self, command: Command) -> None:
        """Run one command and see it end as its page says."""
        done = subprocess.run(
            ["bash", "-euc", command.text],
            cwd=self.folder,
            env={**self._environment(), **self.env},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        self.said[command.text] = done.stdout
        assert done.returncode == command.code, f"{command}:\n{done.stdout}\n{done.stderr}"

    def _environment(self) -> dict[str, str]:
        """Nothing of this process but where programs are; no setting of a person's."""
        programs = self.folder.parent / "programs"
        if not programs.exists():
            programs.mkdir()
            shim = programs / "dp"
            shim.write_text(f'#!/bin/sh\nexec {self.dp} "$@"\n')
            shim.chmod(0o755)
        return {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.folder.parent),
            "COLUMNS": "200",
        }
