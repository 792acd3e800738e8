"""The processes behind `dp ui`: a webserver and a daemon that share one code server.

Together they are what ``dagster dev`` starts, without its own process, which idles at 100 MB, and
without a question that it lets travel through every process twice a second.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from dp_assets.core.errors import PermanentError

# Where the definitions are; sensors and schedules keep their state under this name, so it is the
# one that Dagster gives the module of workspace.yaml.
LOCATION = "dp_assets.definitions"
GRACE_SECONDS = 15
ASK_AGAIN_SECONDS = 0.2
STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Family:
    """Started processes; each leads a process group, so that its own children end with it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._members: dict[str, Process] = {}
        self._watches: list[asyncio.Task[None]] = []
        # Set by a signal, or to the error that says which process died.
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, command: str, *arguments: str) -> None:
        """Run a command that is installed beside this interpreter, and watch it."""
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name(command)),
            *arguments,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        name = " ".join((command, *arguments[:1]))
        self._members[name] = process
        self._watches.append(asyncio.create_task(self._watch(name, process)))

    def end(self) -> None:
        """Somebody asked for the end."""
        if not self.ended.done():
            self.ended.set_result(None)

    async def stop(self) -> None:
        """Interrupt all as Ctrl-C in a terminal does, wait a while, kill what is left."""
        self.end()
        for process in self._members.values():
            _signal_group(process, signal.SIGINT)
        if self._watches:
            await asyncio.wait(self._watches, timeout=GRACE_SECONDS)
        for process in self._members.values():
            _signal_group(process, signal.SIGKILL)
        await asyncio.gather(*self._watches)

    async def _watch(self, name: str, process: Process) -> None:
        code = await process.wait()
        if not self.ended.done():
            self.ended.set_exception(
                PermanentError(
                    f"{name} ended with exit code {code}, so dp ui ended too",
                    hint="what it wrote is above; then start dp ui again",
                )
            )


def serve(
    *, host: str, port: int, environment: Mapping[str, str], ready: Callable[[], None]
) -> None:
    """Serve until a signal, and leave no process behind.

    Args:
        host: What the webserver listens on.
        port: Its port, which must be free.
        environment: Of all processes; names Dagster's home.
        ready: Called once, when the pages answer.

    Raises:
        PermanentError: A process ended by itself.
    """
    with TemporaryDirectory(prefix="dp-ui-") as folder:
        asyncio.run(_served(Path(folder), host, port, environment, ready))


async def _served(
    folder: Path, host: str, port: int, environment: Mapping[str, str], ready: Callable[[], None]
) -> None:
    family = Family(environment)
    for number in STOPPING_SIGNALS:
        # Before the first start: with a handler of ours, children get the default one even where
        # SIGINT is ignored, as it is in the background job of a script.
        asyncio.get_running_loop().add_signal_handler(number, family.end)
    starting = asyncio.create_task(_start(family, folder, host, port))
    try:
        await asyncio.wait((starting, family.ended), return_when=asyncio.FIRST_COMPLETED)
        if not family.ended.done():
            starting.result()
            ready()
        await family.ended
    finally:
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        await family.stop()


async def _start(family: Family, folder: Path, host: str, port: int) -> None:
    """The code server first: who starts before it shows a location that cannot be loaded."""
    socket, workspace = folder / "code", folder / "workspace.yaml"
    workspace.write_text(
        f"load_from: [{{grpc_server: {{location_name: {LOCATION}, socket: {socket}}}}}]\n",
        encoding="utf-8",
    )
    await family.start(
        "dagster", "code-server", "start", "--socket", str(socket), "--log-level", "warning",
        "--module-name", LOCATION, "--location-name", LOCATION, "--inject-env-vars-from-instance",
        # Both others ask for this id every second. Fixed, it is answered without asking the
        # process that holds the definitions; a reload goes through the webserver anyway.
        "--fixed-server-id", "dp-ui",
    )  # fmt: skip
    await _answers(lambda: asyncio.open_unix_connection(socket))
    await family.start(
        "dagster-webserver", "--host", host, "--port", str(port), "--workspace", str(workspace)
    )
    await family.start("dagster-daemon", "run", "--workspace", str(workspace))
    await _answers(lambda: asyncio.open_connection(host, port))


async def _answers(
    connect: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]],
) -> None:
    """Wait, without an end of our own: a process that dies, or a signal, ends the wait."""
    while True:
        try:
            _reader, writer = await connect()
        except OSError:
            await asyncio.sleep(ASK_AGAIN_SECONDS)
        else:
            writer.close()
            return


def _signal_group(leader: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, number)
