"""A PostgreSQL database that is there for the length of a block, on a server or on one of our own.

On the catalog's own server where its user may create databases; else, and when that server is
gone, on a server started from the same programs, which listens on a socket in its own folder only.
"""

import os
import pwd
import re
import secrets
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from dp_assets.adapters.metastore.postgres_tools import Tools
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.units import DAY_MS

PREFIX = "dp_scratch_"
NAME = re.compile(rf"{PREFIX}(\d+)_[0-9a-f]+")
LEFT_OVER_MS = DAY_MS  # a check takes minutes; older scratches are of killed ones
MAY_NOT = "42501"  # insufficient_privilege: postgresql.org, appendix A
NOBODY = "nobody"
START_S = 60.0


class NoScratchError(ConfigurationError):
    """This user may not create databases there."""


@contextmanager
def scratch_database(url: URL, *, now_ms: int) -> Generator[URL, None, None]:
    """An empty database on the server of ``url``, dropped afterwards however the block ends.

    Scratches that killed checks left there more than a day ago are dropped first.

    Raises NoScratchError when this user may not create one.
    """
    name = f"{PREFIX}{now_ms}_{secrets.token_hex(4)}"
    _drop_left_over(url, now_ms)
    try:
        _execute(url, f'CREATE DATABASE "{name}" TEMPLATE template0')
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != MAY_NOT:
            raise
        raise NoScratchError(
            f"user {url.username} may not create a database for the check", hint="grant CREATEDB"
        ) from error
    try:
        yield url.set(database=name)
    finally:
        _execute(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _drop_left_over(url: URL, now_ms: int) -> None:
    for (name,) in _execute(url, "SELECT datname FROM pg_database"):
        made = NAME.fullmatch(name)
        if made and int(made[1]) < now_ms - LEFT_OVER_MS:
            with suppress(DBAPIError):  # of another user
                _execute(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _execute(url: URL, statement: str) -> list[tuple[str, ...]]:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


@contextmanager
def throwaway_server(tools: Tools, *, driver: str) -> Generator[URL, None, None]:
    """An empty database on a server of its own, stopped and removed afterwards.

    Raises ConfigurationError when the server's programs are not beside the client's.
    """
    for program in ("initdb", "pg_ctl", "postgres"):
        if not (tools.folder / program).is_file():
            raise ConfigurationError(
                f"no scratch server: there is no {program} in {tools.folder}",
                hint="install the server of that version, or let the catalog's user create"
                " databases (ALTER ROLE ... CREATEDB)",
            )
    with tempfile.TemporaryDirectory(prefix="dp-pg-") as place:
        folder = Path(place)
        user = _unprivileged(folder)
        data = folder / "data"
        # No sync anywhere: nothing of this is needed after a crash.
        _run(tools, "initdb", "-D", data, "-U", "dp", "-A", "trust", "-E", "UTF8", "-N", user=user)
        options = f"-h '' -k {folder} -F -c shared_buffers=16MB -c max_connections=10"
        try:
            _run(
                tools, "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start",
                user=user,
            )  # fmt: skip
            yield URL.create(
                driver, username="dp", database="postgres", query={"host": str(folder)}
            )
        finally:
            _stop(tools, data, user=user)


def _unprivileged(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root; then it runs as nobody."""
    if os.geteuid():
        return None
    account = pwd.getpwnam(NOBODY)
    os.chown(folder, account.pw_uid, account.pw_gid)
    return NOBODY


def _stop(tools: Tools, data: Path, *, user: str | None) -> None:
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split()[0])
    with suppress(PermanentError):
        _run(tools, "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop", user=user)
    with suppress(psutil.Error):
        psutil.Process(pid).wait(START_S)


def _run(tools: Tools, program: str, *arguments: Path | str, user: str | None) -> None:
    # Their own folder as the current one: "nobody" may not enter that of root.
    try:
        subprocess.run(  # noqa: S603 - no shell, arguments are ours
            [tools.folder / program, *map(str, arguments)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=START_S,
            user=user,
            group=user and pwd.getpwnam(user).pw_gid,
            extra_groups=[] if user else None,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise PermanentError(
            f"no scratch server: {program} failed ({error})", hint=f"does {program} run by hand?"
        ) from error
