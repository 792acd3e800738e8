"""Small private documents, sealed as a whole."""

import hashlib
import io

from dp_assets.domains.backup.documents import DAMAGED
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets.ports.sealing import Sealing


def seal_bytes(content: bytes, sealing: Sealing) -> tuple[bytes, str]:
    """The stored bytes and their SHA-256."""
    stored = io.BytesIO()
    sealing.seal(io.BytesIO(content), stored)
    return stored.getvalue(), hashlib.sha256(stored.getvalue()).hexdigest()


def require_sha256(stored: bytes, sha256: str, *, about: str) -> bytes:
    """``stored`` itself. Raises DamagedObjectError."""
    found = hashlib.sha256(stored).hexdigest()
    if found != sha256:
        raise DamagedObjectError(
            f"{about} is damaged: {len(stored)} bytes with SHA-256 {found}", hint=DAMAGED
        )
    return stored


def unseal_bytes(stored: bytes, sealing: Sealing, about: str) -> bytes:
    """The content of a document whose hash was compared.

    Raises:
        DamagedObjectError: it was sealed wrongly.
        ConfigurationError: there is no key, or none that fits.
    """
    content = io.BytesIO()
    try:
        sealing.unseal(io.BytesIO(stored), content)
    except DamagedObjectError as error:
        raise DamagedObjectError(f"{about}: {error.what}", hint=DAMAGED) from error
    return content.getvalue()
