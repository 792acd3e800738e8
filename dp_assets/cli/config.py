"""`dp config`: the settings in force."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, Shown, examples

if TYPE_CHECKING:
    from dp_assets.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "config",
        rich_help_panel=Panel.SET_UP,
        epilog=examples("dp config", "dp config --keys", "dp config --json"),
    )(config)


def config(
    *,
    keys: Annotated[bool, typer.Option("--keys", help="List every key a file may hold.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show every setting in force and where its value came from; secrets as ***."""
    out = Output(json=as_json)
    if keys:
        out.table("", ("key", "default", "allowed", "description"), _key_rows())
        return
    from dp_assets.settings import load_settings

    settings = load_settings()
    out.line(f"settings from {settings.path}\n")
    out.table("", ("key", "value", "from"), _value_rows(settings))


def _key_rows() -> Iterator[tuple[Cell, ...]]:
    from dp_assets.core.model_keys import known_keys
    from dp_assets.settings import Settings

    for key in known_keys(Settings):
        default = "none" if key.default == {} else _shown(key.default)
        yield ".".join(key.path), default, key.allowed, key.description


def _value_rows(settings: "Settings") -> Iterator[tuple[Cell, ...]]:
    for path, value in _flat(settings.model_dump(mode="json", by_alias=True), ()):
        yield ".".join(path), _shown(value), settings.origin(path)


def _flat(value: object, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, (*at, str(name)))
    else:
        yield at, value


def _shown(value: object) -> Cell:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_shown(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, bool):
        return Shown(value, str(value).lower())  # as the file writes it
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if value is None or value == "":
        return "none"
    return value if isinstance(value, int | float) else str(value)
