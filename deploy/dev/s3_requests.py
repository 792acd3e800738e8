"""The few requests that an administrator makes, signed by hand (AWS Signature Version 4).

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import hashlib
import hmac
import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def request(
    method: str,
    url: str,
    *,
    access_key: str,
    secret_key: str,
    body: bytes = b"",
    service: str = "s3",
) -> Answer:
    """One signed request; ``url`` may have one query word (``?policy``).

    ``service`` is ``s3``, or ``s3tables`` on the same port.
    """
    parts = urlsplit(url)
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "host": parts.netloc,
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-amz-date": now,
    }
    query = f"{parts.query}=" if parts.query and "=" not in parts.query else parts.query
    canonical = "\n".join(
        (
            method,
            parts.path,
            query,
            *(f"{name}:{value}" for name, value in sorted(headers.items())),
            "",
            ";".join(sorted(headers)),
            headers["x-amz-content-sha256"],
        )
    )
    headers["authorization"] = _authorization(
        canonical,
        scope=f"{now[:8]}/{REGION}/{service}/aws4_request",
        now=now,
        signed=";".join(sorted(headers)),
        keys=(access_key, secret_key),
    )
    return _send(
        method, parts.netloc, f"{parts.path}?{query}" if query else parts.path, headers, body
    )


def _authorization(
    canonical: str, *, scope: str, now: str, signed: str, keys: tuple[str, str]
) -> str:
    access_key, secret_key = keys
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return (
        f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={signed}, "
        f"Signature={signature}"
    )


def _send(method: str, host: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        got = connection.getresponse()
        found = {name.lower(): value for name, value in got.getheaders()}
        return Answer(got.status, found, got.read())
    finally:
        connection.close()
