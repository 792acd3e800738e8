"""Asking before something that cannot simply be undone."""

import sys
from typing import Annotated

import typer

from dp_assets.core.errors import ConfigurationError

YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def confirm(question: str, *, yes: bool) -> None:
    """Go on only with a person's yes; ends with an interrupt when the answer is no.

    Raises:
        ConfigurationError: nobody is there to answer.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"{question} there is nobody to answer", hint="--yes says yes in advance"
        )
    typer.confirm(question, abort=True, err=True)
