"""Keys in files of their own, readable by their owner only: age identities, and naming keys."""
# pyrage brings no types.
# pyright: reportAttributeAccessIssue=false

import os
import secrets
from pathlib import Path

import pyrage

from dp_assets.adapters.local_files import TEMPORARY_SUFFIX, make_folders, sync_folder
from dp_assets.adapters.recovery.sealing import IDENTITY_PREFIX, NAMING_KEY_BYTES
from dp_assets.core.errors import ConfigurationError
from dp_assets.core.secrets import Secret, read_secret_file
from dp_assets.core.units import iso_utc

OWNER_ONLY = 0o600


def read_identities(path: Path) -> tuple[Secret, ...]:
    """The private keys in an age identity file, comments left out.

    Raises:
        ConfigurationError: the file cannot be read or holds none; it never shows what it holds.
    """
    lines = _text(path).splitlines()
    found = [Secret(line.strip()) for line in lines if line.strip().startswith(IDENTITY_PREFIX)]
    if not found:
        raise ConfigurationError(
            f"key file {path} holds no private key",
            hint=f"a line of an age identity file starts with {IDENTITY_PREFIX}",
        )
    return tuple(found)


def read_naming_key(path: Path) -> Secret:
    """The key that names objects. Raises ConfigurationError."""
    return Secret(_text(path).strip())


def public_keys(path: Path) -> tuple[str, ...]:
    """The public keys of the private ones in ``path``. Raises ConfigurationError."""
    try:
        return tuple(
            str(pyrage.x25519.Identity.from_str(secret.reveal()).to_public())
            for secret in read_identities(path)
        )
    except pyrage.IdentityError:
        # Its own text might show what it could not read.
        raise ConfigurationError(
            f"key file {path} holds something that is not an age key",
            hint="make one with age-keygen, or name a new file",
        ) from None


def make_identity_file(path: Path, *, now_ms: int) -> bool:
    """A new private key as ``age-keygen`` writes it; False, and untouched, when there is a file."""
    identity = pyrage.x25519.Identity.generate()
    text = f"# created: {iso_utc(now_ms)}\n# public key: {identity.to_public()}\n{identity}\n"
    return _create(path, text.encode())


def make_naming_key_file(path: Path) -> bool:
    """A new key as hexadecimal digits; False, and untouched, when there is a file."""
    return _create(path, f"{secrets.token_hex(NAMING_KEY_BYTES)}\n".encode())


def _text(path: Path) -> str:
    try:
        return read_secret_file(path)
    except ValueError as error:
        raise ConfigurationError(
            str(error).replace("secret file", "key file", 1), hint="name the file of a key"
        ) from None


def _create(path: Path, content: bytes) -> bool:
    """As :func:`local_files.create_file`, but for nobody else to read, not even for a moment."""
    temporary = path.parent / f".{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
    try:
        make_folders(path.parent)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise ConfigurationError(
            f"key file {path} cannot be made: {error.strerror or error}",
            hint="name a file in a folder that you may write to",
        ) from error
    return True
