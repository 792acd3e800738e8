"""A backup in a process of its own that waits while it copies; its lease lives for a second.

Argument: the settings file. Says ``copying``, goes on after a line on its input, says its end.
"""

import sys
from pathlib import Path

from dp_assets.core.errors import LakeError
from dp_assets.settings import Settings, load_settings
from dp_assets_tests.usecases.backup.backups import SeenFiles, backup

LEASE_S = 1


def short_lived(settings: Settings) -> Settings:
    """A life that the settings themselves refuse, so that a test need not wait for ten seconds."""
    repository = settings.repository.model_copy(update={"lease_seconds": LEASE_S})
    return settings.model_copy(update={"repository": repository})


class Waiting:
    """Waits for the parent when the first data file is opened."""

    def __init__(self) -> None:
        self.waited = False

    def __call__(self, location: str) -> None:
        if location.endswith(".parquet") and not self.waited:
            self.waited = True
            say("copying")
            sys.stdin.readline()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(file: Path) -> None:
    # As on another machine: what the others store is not in its index.
    elsewhere = {"state_dir": file.parent / "other-machine"}
    settings = short_lived(load_settings(file, env={})).model_copy(update=elsewhere)
    try:
        outcome = backup(settings, files=SeenFiles(on_open=Waiting()), workers=1)
    except LakeError as error:
        say(f"{type(error).__name__}: {error.what}")
    else:
        say(f"made {outcome.record.number}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
