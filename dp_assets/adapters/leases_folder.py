"""Leases as files that are created if absent, for catalogs without a database of ours.

``<folder>/<name>/<revision>.json``: the highest revision is the state of the name. Nothing is
ever overwritten, so an object store with create-if-absent can hold the same layout.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

from dp_assets.adapters.leases_polling import PollingLeases, Revision, never_gone
from dp_assets.adapters.local_files import create_file
from dp_assets.core.errors import PermanentError
from dp_assets.ports.leases import Lease

SUFFIX = ".json"
# Revisions kept below the newest. One would do; the rest covers changes while a folder is listed.
KEPT = 20


class FolderLeases(PollingLeases):
    """Leases in a local folder (``<warehouse>/_dp/leases``) that all machines see.

    On a network file system this needs working hard links and close-to-open consistency (NFS 3+).
    """

    def __init__(
        self,
        folder: Path,
        *,
        now_ms: Callable[[], int],
        sleep: Callable[[float], None],
        poll_ms: int = 100,
        is_gone: Callable[[str], bool] = never_gone,
    ) -> None:
        super().__init__(now_ms=now_ms, sleep=sleep, poll_ms=poll_ms, is_gone=is_gone)
        self._folder = folder

    def _newest(self, name: str) -> Revision | None:
        return _read_newest(self._home(name))

    def _create(self, revision: Revision) -> bool:
        home = self._home(revision.lease.name)
        if not create_file(_file(home, revision.number), _encode(revision)):
            return False
        # Who slept since reading may have made a number that was pruned meanwhile; then a higher
        # one exists, which everybody else goes by.
        numbers = _numbers(home)
        if max(numbers) > revision.number:
            return False
        for number in numbers:
            if number < revision.number - KEPT:
                _file(home, number).unlink(missing_ok=True)
        return True

    def _all(self) -> Iterable[Lease]:
        if not self._folder.is_dir():
            return []
        newest = [_read_newest(home) for home in self._folder.iterdir()]
        return [revision.lease for revision in newest if revision]

    def _home(self, name: str) -> Path:
        # A folder name of its own for each name, and never "." or "..".
        return self._folder / quote(name, safe="").replace(".", "%2E")


def _file(home: Path, number: int) -> Path:
    return home / f"{number:012d}{SUFFIX}"


def _numbers(home: Path) -> list[int]:
    if not home.is_dir():
        return []
    return [int(f.stem) for f in home.iterdir() if f.suffix == SUFFIX and f.stem.isdecimal()]


def _read_newest(home: Path) -> Revision | None:
    while numbers := _numbers(home):
        newest = max(numbers)
        try:
            return _decode(newest, _file(home, newest))
        except FileNotFoundError:
            continue  # pruned since the listing: there is a newer one
    return None


def _encode(revision: Revision) -> bytes:
    lease = revision.lease
    content = {
        "name": lease.name,
        "owner": lease.owner,
        "fencing": lease.fencing,
        "expires_at_ms": lease.expires_at_ms,
        "ttl_ms": revision.ttl_ms,
    }
    return json.dumps(content, indent=1).encode()


def _decode(number: int, path: Path) -> Revision:
    try:
        content = json.loads(path.read_bytes())
        lease = Lease(
            name=str(content["name"]),
            owner=str(content["owner"]),
            fencing=int(content["fencing"]),
            expires_at_ms=int(content["expires_at_ms"]),
        )
        return Revision(number, lease, ttl_ms=int(content["ttl_ms"]))
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentError(
            f"lease file {path} is damaged: {error!r}",
            hint="stop every run of this lakehouse, then delete that one file",
        ) from error
