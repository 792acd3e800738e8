"""The project's own files: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path

from dp_assets.core.errors import PermanentError


def project_file(name: str) -> Path:
    """Where e.g. ``dagster.yaml`` is. Raises PermanentError when it was not installed."""
    package = Path(__file__).resolve().parent
    for folder in (package / "project", package.parent):
        if (folder / name).is_file():
            return folder / name
    raise PermanentError(
        f"{name} is neither in {package / 'project'} nor in {package.parent}",
        hint="the installation is incomplete; install dp-assets again",
    )
