"""`dp ui`: Dagster's pages on this machine."""

import errno
import os
from typing import Annotated

import typer

from dp_assets.cli.output import Panel, examples
from dp_assets.core.errors import ConfigurationError

HOST = "127.0.0.1"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("ui", rich_help_panel=Panel.RUN, epilog=examples("dp ui", "dp ui --port 3001"))(ui)


def ui(
    *,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port on 127.0.0.1; default: ui.port of the settings."),
    ] = None,
) -> None:
    """Serve Dagster with the state of this lakehouse, on this machine only, until Ctrl-C."""
    from dp_assets.cli.ui_processes import serve
    from dp_assets.settings import load_settings

    settings = load_settings()
    home = settings.dagster_home
    if not (home / "dagster.yaml").exists():
        raise ConfigurationError(
            f"there is no Dagster home at {home}", hint="'dp init' makes it; 'make demo' too"
        )
    wanted = port or settings.ui.port
    _require_free(wanted)
    typer.echo("Dagster starts, which takes a few seconds. Ctrl-C ends it.")
    serve(
        host=HOST,
        port=wanted,
        environment={
            "DAGSTER_DISABLE_TELEMETRY": "1",
            **os.environ,
            "DAGSTER_HOME": str(home),
        },
        ready=lambda: typer.echo(f"http://{HOST}:{wanted} answers."),
    )


def _require_free(port: int) -> None:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            why = "in use" if error.errno == errno.EADDRINUSE else f"not ours: {error.strerror}"
            raise ConfigurationError(
                f"port {port} on {HOST} is {why}",
                hint="end what listens there, or choose another with dp ui --port",
            ) from error
