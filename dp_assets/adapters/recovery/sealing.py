"""Content as it is, or encrypted with age (age-encryption.org/v1), openable with its own tool."""
# pyrage brings no types.
# pyright: reportAttributeAccessIssue=false

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyrage

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.secrets import Secret
from dp_assets.ports.object_store import CHUNK_BYTES, DamagedObjectError, Reader, Writer
from dp_assets.ports.sealing import Sealing

NAMING_KEY_BYTES = 32
IDENTITY_PREFIX = "AGE-SECRET-KEY-1"


class PlainSealing(Sealing):
    """Stored bytes are the content; an object's name is its SHA-256."""

    @property
    def encrypts(self) -> bool:
        return False

    @property
    def can_open(self) -> bool:
        return True

    @property
    def can_name(self) -> bool:
        return True

    def seal(self, reader: Reader, writer: Writer) -> None:
        while data := reader.read(CHUNK_BYTES):
            writer.write(data)

    def unseal(self, reader: Reader, writer: Writer) -> None:
        self.seal(reader, writer)

    def name_of(self, sha256: str) -> str:
        return sha256


class AgeSealing(Sealing):
    """Every object is an age file for all recipients; names are HMAC-SHA256 of the content's hash.

    Args:
        recipients: public keys, ``age1...``; none for a reader.
        naming_key: 32 bytes as hex; None for a reader.
        identities: private keys, ``AGE-SECRET-KEY-1...``; none for a writer.
    """

    def __init__(
        self,
        *,
        recipients: Sequence[str] = (),
        naming_key: Secret | None = None,
        identities: Sequence[Secret] = (),
    ) -> None:
        self._recipients = [_recipient(text) for text in recipients]
        self._naming_key = _naming_key(naming_key) if naming_key else None
        self._identities = [_identity(secret) for secret in identities]

    @property
    def encrypts(self) -> bool:
        return True

    @property
    def can_open(self) -> bool:
        return bool(self._identities)

    @property
    def can_name(self) -> bool:
        return self._naming_key is not None

    def seal(self, reader: Reader, writer: Writer) -> None:
        if not self._recipients:
            raise ConfigurationError(
                "this repository is encrypted and no recipient is known",
                hint="set repository.recipients to the public keys (age1...)",
            )
        source, target = _Remembering(reader.read), _Remembering(writer.write)
        try:
            pyrage.encrypt_io(_Pipe(read=source), _Pipe(write=target), self._recipients)
        except (pyrage.EncryptError, OSError):
            _raise_own(source, target)
            raise

    def unseal(self, reader: Reader, writer: Writer) -> None:
        if not self._identities:
            raise ConfigurationError(
                "this repository is encrypted and no private key was given",
                hint="give it with --key FILE or repository.identity_files",
            )
        source, target = _Remembering(reader.read), _Remembering(writer.write)
        try:
            pyrage.decrypt_io(_Pipe(read=source), _Pipe(write=target), self._identities)
        except (pyrage.DecryptError, OSError) as error:
            _raise_own(source, target)
            text = str(error)
            if "no matching keys" in text.lower():
                raise ConfigurationError(
                    "none of the given private keys opens this repository",
                    hint="'dp repo info' lists the public keys that it is encrypted for",
                ) from None
            raise DamagedObjectError(
                f"it does not decrypt: {text}", hint="'dp verify' says what it breaks"
            ) from error

    def name_of(self, sha256: str) -> str:
        if self._naming_key is None:
            raise ConfigurationError(
                "this repository is encrypted and no naming key was given",
                hint="set repository.naming_key to file:<path of the key that 'dp repo init' made>",
            )
        return hmac.new(self._naming_key, bytes.fromhex(sha256), hashlib.sha256).hexdigest()


class _Remembering:
    """A call whose own exception is kept: pyrage turns every one into a text."""

    def __init__(self, call: Callable[[Any], Any]) -> None:
        self._call = call
        self.error: Exception | None = None

    def __call__(self, argument: Any) -> Any:
        try:
            return self._call(argument)
        except Exception as error:
            self.error = error
            raise


@dataclass(frozen=True, slots=True)
class _Pipe:
    """What pyrage takes for a file."""

    read: Callable[[int], bytes] | None = None
    write: Callable[[bytes], int] | None = None

    def flush(self) -> None:
        """The commit flushes."""


def _raise_own(*calls: _Remembering) -> None:
    """The reason itself instead of pyrage's wording of it."""
    for call in calls:
        if call.error is not None:
            raise call.error from None


def _recipient(text: str) -> "pyrage.x25519.Recipient":
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        hint = "a public key starts with age1; 'age-keygen -y FILE' prints it"
        raise ConfigurationError(f"not an age public key: {_shown(text)}", hint=hint) from error


def _shown(text: str) -> str:
    """A private key given by mistake is not shown."""
    return "a private key" if text.strip().upper().startswith(IDENTITY_PREFIX) else repr(text)


def _identity(secret: Secret) -> "pyrage.x25519.Identity":
    try:
        return pyrage.x25519.Identity.from_str(secret.reveal().strip())
    except pyrage.IdentityError as error:
        raise ConfigurationError(
            "one of the given private keys is not an age key", hint="make one with age-keygen"
        ) from error


def _naming_key(secret: Secret) -> bytes:
    try:
        key = bytes.fromhex(secret.reveal().strip())
    except ValueError:
        key = b""
    if len(key) != NAMING_KEY_BYTES:
        raise ConfigurationError(
            "the naming key is not 64 hexadecimal digits",
            hint="use the file that 'dp repo init' made",
        )
    return key
