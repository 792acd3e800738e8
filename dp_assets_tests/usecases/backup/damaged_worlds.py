"""A repository of real tables to damage, and PyIceberg's word on what each file is needed for."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyrage
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import StaticTable

from dp_assets.adapters.recovery.sealing import AgeSealing
from dp_assets.core.secrets import Secret
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.opening import initialise, open_repository
from dp_assets.domains.backup.pins import Pin, pin
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.repository import Repository
from dp_assets.domains.backup.verification import Verified
from dp_assets_tests.fakes.objects import MemoryObjectStore
from dp_assets_tests.usecases.backup.tiny_points import START_MS, Clock, back_up

Damage = Callable[[dict[str, bytes], str], None]
Snapshots = Mapping[str, Mapping[str, frozenset[int]]]


def flip(at: float) -> Damage:
    def damage(objects: dict[str, bytes], key: str) -> None:
        content = bytearray(objects[key])
        content[int(at * (len(content) - 1))] ^= 0xFF
        objects[key] = bytes(content)

    return damage


def cut(objects: dict[str, bytes], key: str) -> None:
    objects[key] = objects[key][:-1]


def empty(objects: dict[str, bytes], key: str) -> None:
    objects[key] = b""


def lose(objects: dict[str, bytes], key: str) -> None:
    del objects[key]


DAMAGES = {
    "first byte flipped": flip(0),
    "middle byte flipped": flip(0.5),
    "last byte flipped": flip(1),
    "cut by one byte": cut,
    "cut to nothing": empty,
    "deleted": lose,
}


@dataclass(frozen=True)
class World:
    """A repository with two points of two real tables; ``snapshots`` is PyIceberg's view."""

    repository: Repository
    objects: dict[str, bytes]
    snapshots: Snapshots
    make: Callable[[MemoryObjectStore], Repository]

    def copy(self) -> Repository:
        return self.make(MemoryObjectStore(dict(self.objects)))


def new_identity() -> tuple[Secret, str]:
    identity = pyrage.x25519.Identity.generate()
    return Secret(str(identity)), str(identity.to_public())


def sealed() -> AgeSealing:
    identity, public = new_identity()
    key = Secret("11" * 32)
    return AgeSealing(recipients=[public], naming_key=key, identities=[identity])


def make_world(lake, sealing) -> World:
    tables, contents = lake
    store = MemoryObjectStore()
    repository = initialise(store, sealing, repository_id="r", now_ms=START_MS)
    clock = Clock()
    back_up(repository, clock, {"shop.things": tables["shop.things"]}, contents=contents)
    clock.hours(1)
    back_up(repository, clock, tables, contents=contents)
    pin(store, Points(repository), Pin(1, START_MS, "the first"))
    objects = {k: v for k, v in store.objects.items() if not k.startswith(layout.LEASES)}
    snapshots = {name: needed_by_snapshots(contents[name].pointer) for name in tables}
    return World(repository, objects, snapshots, lambda s: open_repository(s, lambda _: sealing))


def needed_by_snapshots(pointer: str) -> Mapping[str, frozenset[int]]:
    table = StaticTable.from_metadata(pointer)
    found: defaultdict[str, set[int]] = defaultdict(set)
    for snapshot in table.snapshots():
        paths = [pointer, snapshot.manifest_list]
        for manifest in snapshot.manifests(PyArrowFileIO()):
            entries = manifest.fetch_manifest_entry(PyArrowFileIO(), discard_deleted=True)
            paths += [manifest.manifest_path, *(entry.data_file.file_path for entry in entries)]
        for path in paths:
            found[path].add(snapshot.snapshot_id)
    return {path: frozenset(ids) for path, ids in found.items()}


def expected_breaks(world: World) -> dict[str, set[tuple[int, str, str, frozenset[int]]]]:
    """By key of an object: point, table, file and the snapshots that PyIceberg needs it for."""
    found: defaultdict[str, set[tuple[int, str, str, frozenset[int]]]] = defaultdict(set)
    points = Points(world.repository)
    for number in points.numbers():
        for line in points.manifest(points.record(number)).tables:
            content = points.content(line)
            for stored in content.files:
                ids = world.snapshots[line.table][stored.file.path]
                entry = (number, line.table, stored.file.path, ids)
                found[layout.object_key(stored.ref.name)].add(entry)
    return found


def broken(outcome: Verified, key: str) -> set[tuple[int, str, str, frozenset[int]]]:
    damage = next(damage for damage in outcome.damages if damage.key == key)
    return {(b.point, b.table, b.file, frozenset(b.snapshots)) for b in damage.breaks}
