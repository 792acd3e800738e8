"""The keys of a pydantic model in words: what `dp config --keys` lists and what errors allow."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dp_assets.core.yaml_source import KeyPath

_WORDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    date: "a date (YYYY-MM-DD)",
    str: "a text",
}
FREE = "<name>"
_BOUNDS = (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below"))


@dataclass(frozen=True, slots=True)
class Words:
    """Put into ``Annotated``: what the type allows, in words; ``secret`` hides values in errors."""

    text: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """One key that a file may hold. ``path`` ends in ``<name>`` where the names are free."""

    path: KeyPath
    allowed: str
    default: object
    description: str


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model behind a field that is a section of its own."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def entry_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of each entry of a field whose names are free."""
    is_mapping = get_origin(field.annotation) is Mapping
    kind: object = get_args(field.annotation)[1] if is_mapping else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the name the file uses."""
    named = model.model_fields.items()
    return {(field.alias or name): field for name, field in named}


def known_keys(model: type[BaseModel], at: KeyPath = ()) -> Iterator[Key]:
    """Every key of the model and of its sections, in the order of the model."""
    for name, field in fields_of(model).items():
        section, entry = section_of(field), entry_of(field)
        if section:
            yield from known_keys(section, (*at, name))
        elif entry:
            yield from known_keys(entry, (*at, name, FREE))
        else:
            default = field.get_default(call_default_factory=False)
            yield Key((*at, name), _of_field(field).text, default, field.description or "")


def allowed_at(model: type[BaseModel], key: KeyPath) -> Words:
    """What may stand at ``key``; a section answers with its keys."""
    fields = fields_of(model)
    field = fields.get(key[0]) if key else None
    if field is None:
        return Words(f"a section with the keys {', '.join(fields)}")
    section = section_of(field)
    if section:
        return allowed_at(section, key[1:])
    if len(key) == 1:
        return _of_field(field)
    if entry := entry_of(field):
        return allowed_at(entry, key[2:])
    name_type, value_type = get_args(field.annotation) or (str, field.annotation)
    return words_for(name_type if key[-1] == "[key]" else value_type)


def nearest_key(model: type[BaseModel], key: KeyPath) -> str | None:
    """The known key that ``key`` was probably meant to be: in its section first, then anywhere."""
    inside = _model_at(model, key[:-1])
    fields = fields_of(inside) if inside else {}
    here = difflib.get_close_matches(key[-1], fields, n=1)
    if here:
        return ".".join((*key[:-1], here[0]))
    fixed = (known.path for known in known_keys(model) if FREE not in known.path)
    elsewhere = {path[-1]: ".".join(path) for path in fixed}
    found = difflib.get_close_matches(key[-1], elsewhere, n=1)
    return elsewhere[found[0]] if found else None


def _model_at(model: type[BaseModel], key: KeyPath) -> type[BaseModel] | None:
    """The section, or the entry under a free name, at ``key``."""
    if not key:
        return model
    field = fields_of(model).get(key[0])
    if field is None:
        return None
    if entry := entry_of(field):
        return _model_at(entry, key[2:]) if len(key) > 1 else None
    section = section_of(field)
    return _model_at(section, key[1:]) if section else None


def words_for(annotation: object, metadata: tuple[Any, ...] = ()) -> Words:
    """A type in words, e.g. ``a whole number from 1 to 365``."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return words_for(inner, (*more, *metadata))
    flat = [inner for m in metadata for inner in (m.metadata if isinstance(m, FieldInfo) else [m])]
    own = next((m for m in flat if isinstance(m, Words)), None)
    return own or Words(_kind(annotation) + _bounds(flat))


def _of_field(field: FieldInfo) -> Words:
    return words_for(field.annotation, tuple(field.metadata))


def _kind(annotation: object) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return f"one of {', '.join(str(a) for a in args)}"
    if origin is Mapping:
        names = get_args(args[0])
        which = f"names out of {', '.join(names)}" if names else "names"
        return f"{which}, each with {words_for(args[1]).text}"
    if origin in (Union, UnionType):
        return words_for(args[0]).text
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"a section with the keys {', '.join(fields_of(annotation))}"
    return _WORDS.get(cast("object", annotation), "a text")


def _bounds(metadata: list[Any]) -> str:
    found = [
        f" {word} {getattr(m, bound)}"
        for bound, word in _BOUNDS
        for m in metadata
        if getattr(m, bound, None) is not None
    ]
    return "".join(found)
