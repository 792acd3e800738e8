"""The types of single settings: what each accepts, how it is read, and how it is shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
)

from dp_assets.core.model_keys import Words
from dp_assets.core.secrets import Address, Secret, read_secret_file
from dp_assets.core.yaml_model import RefusedValueError
from dp_assets.core.yaml_source import FromEnvironment

_CRON_FIELD = r"[0-9A-Za-z*/,\-]+"
_CRON = re.compile(rf"{_CRON_FIELD}(?: {_CRON_FIELD}){{4}}")
_MEMORY = re.compile(r"[1-9]\d*(?:\.\d+)? ?[KMGT]i?B")
_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)(.+)")
_SECRET_FILE = re.compile(r"file:(?!//)(.+)")


@dataclass(frozen=True, slots=True)
class Loading:
    """What the file's values are read with.

    Attributes:
        folder: what relative paths are relative to.
        state_dir: what ``{state}`` stands for.
        path: the file.
        origins: where each value came from, for people.
    """

    folder: Path
    state_dir: Path
    path: Path
    origins: Mapping[tuple[str, ...], str]


def loading_of(info: ValidationInfo) -> Loading:
    """What `load_settings` validates with."""
    if not isinstance(info.context, Loading):
        raise TypeError("settings are made by load_settings only")
    return info.context


def absolute(text: str, folder: Path) -> Path:
    """``text`` as an absolute path; symbolic links are followed."""
    return (folder / Path(text).expanduser()).resolve()


def _matching(pattern: re.Pattern[str]) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise RefusedValueError
        return text

    return AfterValidator(check)


def _text(text: str) -> str:
    if text.startswith("file:"):
        raise ValueError("a secret file is read for catalog.uri and catalog.properties only")
    return text


def _local_path(path: str) -> str:
    """Iceberg libraries cut a file URI at these characters and would write somewhere else."""
    if "?" in path or "#" in path:
        raise RefusedValueError("leads to a path with ? or #, which no file URI can carry")
    return path


def _root(text: object, info: ValidationInfo) -> Address:
    """A warehouse root as a URI without a slash at its end."""
    if not isinstance(text, str):
        raise RefusedValueError
    loading = loading_of(info)
    given = text.replace("{state}", str(loading.state_dir))
    if given.startswith("file://") and not given.startswith("file:///"):
        raise RefusedValueError("names a host; a local folder is file:///path")
    if "://" in given and not given.startswith("file:"):
        return Address(given.rstrip("/"))
    local = str(absolute(re.sub("^file:(//)?", "", given), loading.folder))
    return Address(f"file://{local if '{state}' in text else _local_path(local)}")


def _address(text: object, info: ValidationInfo) -> Address:
    """A catalog's address; a relative SQLite file is relative to the settings' folder."""
    if not isinstance(text, str):
        raise RefusedValueError
    loading = loading_of(info)
    secret = _SECRET_FILE.fullmatch(text)
    given = read_secret_file(absolute(secret[1], loading.folder)) if secret else text
    given = given.replace("{state}", str(loading.state_dir))
    if given and "://" not in given:
        raise RefusedValueError("is not a URI such as postgresql://host/name")
    local = _SQLITE.fullmatch(given)
    return Address(f"{local[1]}{absolute(local[2], loading.folder)}" if local else given)


def _property(text: object, info: ValidationInfo) -> str | Secret:
    """Text as written; a Secret when it comes from a file or the environment."""
    if not isinstance(text, str):
        raise RefusedValueError
    secret = _SECRET_FILE.fullmatch(text)
    if secret:
        return Secret(read_secret_file(absolute(secret[1], loading_of(info).folder)))
    return Secret(text) if isinstance(text, FromEnvironment) else text


def _folder_or_package(text: str, info: ValidationInfo) -> str:
    if text.startswith("package:"):
        return text
    return str(absolute(text, loading_of(info).folder))


def _state_dir(text: object, info: ValidationInfo) -> Path:
    if not isinstance(text, str | Path):
        raise RefusedValueError
    return Path(_local_path(str(absolute(str(text), loading_of(info).folder))))


Text = Annotated[str, AfterValidator(_text)]
Cron = Annotated[str, _matching(_CRON), Words("five fields of cron, e.g. 0 */6 * * *")]
MemoryLimit = Annotated[str, _matching(_MEMORY), Words("a size such as 400MB or 2GiB")]
StateDir = Annotated[Path, BeforeValidator(_state_dir), Words("a folder")]
Source = Annotated[
    Text, AfterValidator(_folder_or_package), Words("package:<name> or the folder of its files")
]
Root = Annotated[
    Address,
    PlainValidator(_root),
    PlainSerializer(lambda a: a.redacted, return_type=str),
    Words("a folder, or a URI such as s3://bucket/prefix"),
]
CatalogAddress = Annotated[
    Address,
    PlainValidator(_address),
    PlainSerializer(lambda a: a.redacted, return_type=str),
    Words("a URI, or file:<path> of a file that holds it", secret=True),
]
Property = Annotated[
    str | Secret,
    PlainValidator(_property),
    PlainSerializer(str, return_type=str),
    Words("a text, or file:<path> of a secret", secret=True),
]
