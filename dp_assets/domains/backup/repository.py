"""A repository: content under its hash, written once, read back only when it is still itself."""

from __future__ import annotations

import hashlib
import io
from threading import Lock
from typing import TYPE_CHECKING, Protocol, TypeVar

from dp_assets.core.errors import ConfigurationError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import DAMAGED, pack, unpack
from dp_assets.domains.backup.hashing import Discard, HashingReader, HashingWriter, drain
from dp_assets.domains.backup.settling import Settling
from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError
from dp_assets.ports.recovery import ObjectRef

if TYPE_CHECKING:
    from dp_assets.domains.backup.opening import Description
    from dp_assets.ports.object_store import ObjectStore, Reader, Writer
    from dp_assets.ports.sealing import Sealing

T = TypeVar("T")
_LOCKS = 64  # so that threads with different content hardly ever meet


class KnownObjects(Protocol):
    """Which objects are there for certain: committed points rely on them, or this run made them."""

    def stored(self, name: str) -> tuple[str, int] | None:
        """Stored SHA-256 and stored size; None when the object is to be written (again)."""
        ...

    def added(self, name: str, stored_sha256: str, stored_size: int) -> None:
        """The object was written just now."""
        ...


class Repository:
    """Objects in a store, sealed or as they are. Safe for many threads.

    What is added is durable once :meth:`settle` returned, which a point asks for before it exists:
    syncing every object by itself costs a backup of small files half of its time.
    """

    def __init__(self, store: ObjectStore, sealing: Sealing, description: Description) -> None:
        self.store = store
        self.sealing = sealing
        self.description = description
        # Threads that store the same content wait for each other; others meet rarely.
        self._alone = tuple(Lock() for _ in range(_LOCKS))
        self._unsettled = False
        self._settling = Settling(store.settle)

    def add(self, reader: Reader, *, known: KnownObjects) -> ObjectRef:
        """Store everything from ``reader``; content that is there already is not stored again.

        An object that is not known (a leftover of a killed backup, a condemned or damaged one) is
        replaced, never trusted.
        """
        plain = HashingReader(reader)
        with self.store.upload() as upload:
            # What is stored as it is was hashed on its way in; a second hash would cost a core.
            sealed = HashingWriter(upload) if self.sealing.encrypts else None
            self.sealing.seal(plain, sealed or upload)
            stored = sealed or plain
            name = self.sealing.name_of(plain.sha256)
            # Sealing the same content twice gives different bytes: whoever comes second must
            # record what the first one stored.
            with self._alone[hash(name) % _LOCKS]:
                there = known.stored(name)
                if there is None:
                    self._unsettled = True
                    upload.commit(layout.object_key(name), replace=True, durable=False)
                    there = (stored.sha256, stored.size)
                    known.added(name, *there)
                    self._settling.wrote(stored.size)
        return ObjectRef(name, plain.sha256, plain.size, there[0], there[1])

    def add_document(self, value: object, *, known: KnownObjects) -> ObjectRef:
        """Store a dataclass as gzipped JSON, sealed like all content."""
        return self.add(io.BytesIO(pack(value)), known=known)

    def copy_to(self, ref: ObjectRef, writer: Writer) -> None:
        """The content of ``ref``, checked; what ``writer`` got counts only if nothing is raised.

        Raises:
            MissingObjectError: the object is gone.
            DamagedObjectError: it is not what was stored.
            ConfigurationError: it is sealed, and no key that fits was given.
        """
        opened = HashingWriter(writer) if self.sealing.encrypts else None
        with self.store.open(layout.object_key(ref.name)) as reader:
            stored = HashingReader(reader)
            try:
                self.sealing.unseal(stored, opened or writer)
            except DamagedObjectError as error:
                raise damaged(ref.name, error.what) from error
            except ConfigurationError as error:
                # A damaged header looks like one that was sealed for somebody else.
                if self.sealing.can_open and _rest_differs(stored, ref):
                    raise damaged(ref.name, "no given key opens it any more") from error
                raise
        found = opened or stored  # what is stored as it is needs no second hash
        if (found.sha256, found.size) != (ref.sha256, ref.size):
            raise damaged(ref.name, f"{found.size} bytes with SHA-256 {found.sha256}")

    def read(self, ref: ObjectRef) -> bytes:
        """The content of a small object; raises as :meth:`copy_to`."""
        if self.sealing.encrypts:
            opened = io.BytesIO()
            self.copy_to(ref, opened)
            return opened.getvalue()
        content = self.store.read(layout.object_key(ref.name))
        sha256 = hashlib.sha256(content).hexdigest()
        if (sha256, len(content)) != (ref.sha256, ref.size):
            raise damaged(ref.name, f"{len(content)} bytes with SHA-256 {sha256}")
        return content

    def read_document(self, kind: type[T], ref: ObjectRef) -> T:
        """The dataclass stored by :meth:`add_document`."""
        return unpack(kind, self.read(ref), about=f"object {ref.name}")

    def settle(self) -> None:
        """What was added here, or found as it should be, is durable when this returns."""
        self._settling.finish()
        if self._unsettled:
            self.store.settle()
            self._unsettled = False

    def is_as_stored(self, ref: ObjectRef) -> bool:
        """Whether the stored bytes are what ``ref`` says; reads them all, needs no key."""
        self._unsettled = True  # who stored it may have been killed before it was durable
        try:
            with self.store.open(layout.object_key(ref.name)) as reader:
                return not _rest_differs(HashingReader(reader), ref)
        except MissingObjectError:
            return False

    def add_public(self, value: object) -> tuple[str, int]:
        """Store a dataclass for readers without a key, named by its own SHA-256: name and size."""
        content = HashingReader(io.BytesIO(pack(value)))
        with self.store.upload() as upload:
            drain(content, upload)
            self._unsettled = True
            upload.commit(layout.object_key(content.sha256), replace=True, durable=False)
        return content.sha256, content.size

    def read_public(self, kind: type[T], name: str) -> T:
        """The way back. Raises MissingObjectError, DamagedObjectError."""
        content = io.BytesIO()
        with self.store.open(layout.object_key(name)) as reader:
            stored = HashingReader(reader)
            drain(stored, content)
        if stored.sha256 != name:
            raise damaged(name, f"{stored.size} bytes with SHA-256 {stored.sha256}")
        return unpack(kind, content.getvalue(), about=f"object {name}")


def _rest_differs(stored: HashingReader, ref: ObjectRef) -> bool:
    drain(stored, Discard())
    return (stored.sha256, stored.size) != (ref.stored_sha256, ref.stored_size)


def damaged(name: str, found: str) -> DamagedObjectError:
    """The error for an object that is not what its name promises."""
    return DamagedObjectError(f"object {name} is damaged: {found}", hint=DAMAGED)
