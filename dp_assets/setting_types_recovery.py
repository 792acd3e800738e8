"""The types of settings that only recovery has: lists of texts, and keys in files."""

from pathlib import Path
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationInfo

from dp_assets.core.model_keys import Words
from dp_assets.core.secrets import Address, Secret, read_secret_file
from dp_assets.core.yaml_model import RefusedValueError
from dp_assets.setting_types import Root, absolute, loading_of


def _texts(given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    if isinstance(given, list | tuple) and all(isinstance(item, str) and item for item in given):
        return tuple(str(item) for item in given)
    raise RefusedValueError


def _secret(given: object, info: ValidationInfo) -> Secret | None:
    """The text in the file that is named; a key is never written into settings."""
    if given is None:
        return None
    if not isinstance(given, str) or not given.startswith("file:"):
        raise RefusedValueError
    return Secret(read_secret_file(absolute(given[len("file:") :], loading_of(info).folder)))


def _files(given: object, info: ValidationInfo) -> tuple[Path, ...]:
    folder = loading_of(info).folder
    return tuple(absolute(text.removeprefix("file:"), folder) for text in _texts(given))


def _root_or_none(given: object, info: ValidationInfo) -> Address:
    return _ROOT.validate_python(given, context=info.context) if given else Address("")


_ROOT: TypeAdapter[Address] = TypeAdapter(Root)
RootOrNone = Annotated[
    Address,
    PlainValidator(_root_or_none),
    PlainSerializer(lambda a: a.redacted, return_type=str),
    Words("a folder, or a URI such as s3://bucket/prefix"),
]
Texts = Annotated[
    tuple[str, ...],
    PlainValidator(_texts),
    PlainSerializer(list, return_type=list[str]),
    Words("a list of texts"),
]
SecretFile = Annotated[
    Secret | None,
    PlainValidator(_secret),
    PlainSerializer(lambda s: str(s) if s else None, return_type=str | None),
    Words("file:<path> of a secret", secret=True),
]
KeyFiles = Annotated[
    tuple[Path, ...],
    PlainValidator(_files),
    PlainSerializer(lambda paths: [str(p) for p in paths], return_type=list[str]),
    Words("a list of files"),
]
