"""How a bucket is reached: from the properties that PyIceberg takes for the same store.

What they leave out comes from the environment (``AWS_*``), the container or the machine, as the
S3 client finds it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dp_assets.core.errors import ConfigurationError

if TYPE_CHECKING:
    from obstore.store import S3Store

CONNECT_S = 5
MAX_PAUSE_S = 5
# A server that hangs costs at most two requests one after another (a part, and giving the upload
# up); each is repeated until its share is over and then waits once more. Together: the deadline.
SHARE_WAITING, SHARE_RETRYING = 0.4, 0.1
_LOCATION = re.compile(r"s3[an]?://([^/]+)(?:/(.*))?", re.DOTALL)
MEMORY_BYTES = 32 << 20
# Where the client looks for an address that the properties leave out.
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


@dataclass(frozen=True, slots=True)
class S3Options:
    """How objects are written and how long is waited.

    Attributes:
        storage_class: of new objects; empty: the bucket's.
        server_side_encryption: ``AES256`` (SSE-S3) or empty: the bucket's.
        deadline_s: from the moment a server stops answering to the error, retries included.
        retries: after 5xx and broken connections, with growing pauses, within a tenth of that.
        memory_bytes: an upload that is larger waits in a file instead.
    """

    storage_class: str = ""
    server_side_encryption: str = ""
    deadline_s: float = 120
    retries: int = 5
    memory_bytes: int = MEMORY_BYTES


def bucket_and_key(location: str) -> tuple[str, str] | None:
    """``s3://bucket/key`` in two; None for other schemes. Nothing in a key is special."""
    found = _LOCATION.fullmatch(location)
    return (found[1], found[2] or "") if found else None


def connect(bucket: str, *, properties: Mapping[str, str], options: S3Options) -> S3Store:
    """A client for ``bucket``; nothing is contacted yet.

    Raises ConfigurationError for half a key, and for a user in the endpoint.
    """
    from obstore.store import S3Store

    endpoint = properties.get("s3.endpoint", "")
    if "@" in urlsplit(endpoint).netloc:
        raise ConfigurationError(
            f"s3.endpoint names a user: {urlsplit(endpoint).netloc.rpartition('@')[2]}",
            hint="give keys as s3.access-key-id and s3.secret-access-key",
        )
    more = {
        "endpoint": endpoint,
        "region": properties.get("s3.region") or properties.get("client.region", ""),
        "server_side_encryption": options.server_side_encryption,
        "virtual_hosted_style_request": properties.get("s3.force-virtual-addressing", ""),
    }
    wait_s, retry_s = options.deadline_s * SHARE_WAITING, options.deadline_s * SHARE_RETRYING
    return S3Store(  # pyright: ignore[reportCallIssue]
        bucket,
        client_options={
            # In a cluster the store often speaks plain HTTP; an address that says so is meant so.
            "allow_http": urlsplit(endpoint or _endpoint_of_environment()).scheme == "http",
            "connect_timeout": timedelta(seconds=min(CONNECT_S, wait_s)),
            # Each piece of a body has its own time; the whole may take hours.
            "read_timeout": timedelta(seconds=wait_s),
            "timeout": timedelta(days=7),
        },
        retry_config={
            "max_retries": options.retries,
            "retry_timeout": timedelta(seconds=retry_s),
            "backoff": {"max_backoff": timedelta(seconds=min(MAX_PAUSE_S, retry_s))},
        },
        conditional_put="etag",
        **_keys(properties),  # pyright: ignore[reportArgumentType]
        **{name: value for name, value in more.items() if value},  # pyright: ignore
    )


def _endpoint_of_environment() -> str:
    return next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")


def _keys(properties: Mapping[str, str]) -> dict[str, str]:
    def given(name: str) -> str:
        return properties.get(f"s3.{name}") or properties.get(f"client.{name}") or ""

    key, secret = given("access-key-id"), given("secret-access-key")
    if bool(key) != bool(secret):
        raise ConfigurationError(
            "one of s3.access-key-id and s3.secret-access-key is missing",
            hint="give both, or neither and let the AWS environment decide",
        )
    if not key:
        return {}
    # Always with its token, if only an empty one: else the environment's would be taken with it.
    token = given("session-token")
    return {"access_key_id": key, "secret_access_key": secret, "session_token": token}
