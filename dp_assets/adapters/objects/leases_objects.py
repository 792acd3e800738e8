"""Leases as objects that are created if absent: for catalogs without a database of ours.

``<prefix><name>/<revision>.json``: the highest revision is the state of the name. Nothing is ever
overwritten, so every store with create-if-absent will do, on a disk or in a bucket.
"""

import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

from dp_assets.adapters.leases_polling import PollingLeases, Revision, never_gone
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.ports.leases import Lease
from dp_assets.ports.object_store import MissingObjectError, ObjectStore

# Revisions kept below the newest. One would do; the rest covers changes while they are listed.
KEPT = 20
_REVISION = re.compile(r"(.*/)(\d{12})\.json")


class ObjectLeases(PollingLeases):
    """Leases below a prefix of an object store that all machines see.

    Where the credentials cannot delete, old revisions stay. A lifecycle rule may expire them only
    if it keeps the newest of each name, for with that the fencing number would start again.

    Args:
        store: where; its create-if-absent must hold (network file systems: NFS 3+).
        prefix: what the keys begin with.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        now_ms: Callable[[], int],
        sleep: Callable[[float], None],
        prefix: str = "leases/",
        poll_ms: int = 100,
        is_gone: Callable[[str], bool] = never_gone,
    ) -> None:
        super().__init__(now_ms=now_ms, sleep=sleep, poll_ms=poll_ms, is_gone=is_gone)
        self._store = store
        self._prefix = prefix
        self._may_delete = True

    def _newest(self, name: str) -> Revision | None:
        return self._read_newest(self._home(name))

    def _create(self, revision: Revision) -> bool:
        home = self._home(revision.lease.name)
        if not self._store.create(_key(home, revision.number), _encode(revision)):
            return False
        # Who slept since reading may have made a number that was pruned meanwhile; then a higher
        # one exists, which everybody else goes by.
        numbers = self._numbers(home)
        if max(numbers, default=0) > revision.number:
            return False
        self._prune(home, [n for n in numbers if n < revision.number - KEPT])
        return True

    def _all(self) -> Iterable[Lease]:
        homes = {home for home, _ in self._revisions(self._prefix)}
        newest = [self._read_newest(home) for home in sorted(homes)]
        return [revision.lease for revision in newest if revision]

    def _home(self, name: str) -> str:
        # A part of its own for each name, of letters, digits, "_" and "=" only: these sort behind
        # the slash, so that every server's order is the same.
        plain = quote(name, safe="").translate({ord("."): "%2E", ord("-"): "%2D", ord("~"): "%7E"})
        return f"{self._prefix}{plain.replace('%', '=')}/"

    def _revisions(self, prefix: str) -> list[tuple[str, int]]:
        found = (_REVISION.fullmatch(info.key) for info in self._store.list(prefix))
        return [(match[1], int(match[2])) for match in found if match]

    def _numbers(self, home: str) -> list[int]:
        return [number for at, number in self._revisions(home) if at == home]

    def _read_newest(self, home: str) -> Revision | None:
        while numbers := self._numbers(home):
            key = _key(home, max(numbers))
            try:
                content = self._store.read(key)
            except MissingObjectError:
                continue  # pruned since the listing: there is a newer one
            return _decode(content, max(numbers), where=f"{self._store.address}/{key}")
        return None

    def _prune(self, home: str, numbers: list[int]) -> None:
        if not numbers or not self._may_delete:
            return
        try:
            self._store.delete(_key(home, number) for number in numbers)
        except TransientError:
            pass  # the next change of this lease does it
        except PermanentError:
            self._may_delete = False  # old revisions do no harm


def _key(home: str, number: int) -> str:
    return f"{home}{number:012d}.json"


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


def _decode(stored: bytes, number: int, *, where: str) -> Revision:
    try:
        content = json.loads(stored)
        lease = Lease(
            name=str(content["name"]),
            owner=str(content["owner"]),
            fencing=int(content["fencing"]),
            expires_at_ms=int(content["expires_at_ms"]),
        )
        return Revision(number, lease, ttl_ms=int(content["ttl_ms"]))
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentError(
            f"lease file {where} is damaged: {error!r}",
            hint="stop every run of this lakehouse, then delete that one file",
        ) from error
