"""The scratch folder of a drill: empty at first, gone afterwards, also after a kill."""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dp_assets.adapters.lease_owner import is_gone, owner_text

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from dp_assets.settings import Settings

FOLDER, OWNER = "drill-", "owner"


@contextmanager
def scratch_folder(settings: Settings, *, keep: bool) -> Generator[Path, None, None]:
    """An empty folder, gone afterwards, also after a failure."""
    folder = settings.tmp_dir / f"{FOLDER}{secrets.token_hex(6)}"
    folder.mkdir(parents=True)
    (folder / OWNER).write_text("" if keep else owner_text("dp drill"), encoding="utf-8")
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(settings: Settings) -> None:
    """What killed drills of this machine have left; kept ones have no owner and stay."""
    for owner in settings.tmp_dir.glob(f"{FOLDER}*/{OWNER}"):
        if is_gone(owner.read_text(encoding="utf-8")):
            shutil.rmtree(owner.parent, ignore_errors=True)
