"""A YAML file as a validated model, or one error that names everything wrong with the file."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.model_keys import allowed_at, fields_of, nearest_key, section_of
from dp_assets.core.secrets import HIDDEN, redact
from dp_assets.core.yaml_source import KeyPath, Problem, Value, YamlSource

Model = TypeVar("Model", bound=BaseModel)
_SHOWN_CHARACTERS = 80


class RefusedValueError(ValueError):
    """A validator's refusal: what follows the value in a sentence, e.g. ``names a host``.

    A validator never puts the value into its message, because it may be a secret. Without a text,
    the sentence is ``<value> is not <what the key allows>``.
    """


def build_model(
    model: type[Model],
    source: YamlSource,
    *,
    context: object,
    overrides: Mapping[KeyPath, tuple[str, str]],
    hint: str,
) -> Model:
    """Validate what ``source`` holds, with ``overrides`` in place of what it says there.

    Args:
        model: what the file must be.
        source: the file as read.
        context: handed to the model's validators.
        overrides: by key, the value and the name of the environment variable that gave it.
        hint: what to do about problems, for people.

    Raises:
        ConfigurationError: with every problem of the file, in the order of its lines.
    """
    data = _sections(model, source.data)
    for key, (value, _) in overrides.items():
        _put(data, key, value)
    problems = list(source.problems)
    try:
        built = model.model_validate(data, context=context)
    except ValidationError as error:
        known = {p.key for p in problems}
        found = (_Finding(model, source, cast("dict[str, Any]", e)) for e in error.errors())
        problems += [f.problem(overrides) for f in found if f.key not in known]
    else:
        if not problems:
            return built
    raise _refusal(source.path, problems, hint=hint) from None


def _refusal(path: Path, problems: list[Problem], *, hint: str) -> ConfigurationError:
    """One error for all problems of a file."""
    ordered = sorted(problems, key=lambda p: (p.line or 0, p.key))
    if len(ordered) == 1:
        return ConfigurationError(f"{path}, {ordered[0]}", hint=hint)
    lines = "".join(f"\n  {p}" for p in ordered)
    return ConfigurationError(f"{path}, {len(ordered)} problems:{lines}", hint=hint)


def _sections(model: type[BaseModel], data: Mapping[str, Value]) -> dict[str, Value]:
    """A copy of ``data`` with every section there, so that its defaults are validated too."""
    filled = dict(data)
    for name, field in fields_of(model).items():
        section = section_of(field)
        inner = filled.get(name)
        if section and inner is None:
            filled[name] = _sections(section, {})
        elif section and isinstance(inner, dict):
            filled[name] = _sections(section, inner)
    return filled


def _put(data: dict[str, Value], key: KeyPath, value: str) -> None:
    """Set one value; where a section is not a mapping, leave it to be reported."""
    for name in key[:-1]:
        inner = data.get(name)
        if not isinstance(inner, dict):
            return
        data = inner
    data[key[-1]] = value


class _Finding:
    """One of pydantic's errors, worded for the person who wrote the file."""

    def __init__(self, model: type[BaseModel], source: YamlSource, error: dict[str, Any]) -> None:
        location = tuple(str(part) for part in error["loc"])
        self._is_name = location[-1:] == ("[key]",)
        self._location = location
        self.key = location[:-1] if self._is_name else location
        self._model = model
        self._source = source
        self._error = error

    def problem(self, overrides: Mapping[KeyPath, tuple[str, str]]) -> Problem:
        if self.key in overrides:
            value, variable = overrides[self.key]
            return Problem(None, (variable,), self._text(_quoted(value)))
        return Problem(self._source.line_of(self.key), self.key, self._text(self._shown()))

    def _text(self, shown: str) -> str:
        if self._error["type"] == "extra_forbidden":
            nearest = nearest_key(self._model, self.key)
            return f"unknown key; did you mean {nearest}?" if nearest else "unknown key"
        refusal = self._error.get("ctx", {}).get("error")
        if isinstance(refusal, ValueError) and str(refusal):
            beginning = f"{shown} " if isinstance(refusal, RefusedValueError) else ""
            return f"{beginning}{refusal}"
        allowed = allowed_at(self._model, self._location).text
        if self._is_name:
            return f"unknown name; allowed is {allowed}{self._suggestion(self.key[-1])}"
        return f"{shown} is not {allowed}{self._suggestion(str(self._error['input']))}"

    def _suggestion(self, wrong: str) -> str:
        if self._error["type"] != "literal_error":
            return ""
        allowed = allowed_at(self._model, self._location).text.removeprefix("one of ").split(", ")
        near = difflib.get_close_matches(wrong, allowed, n=1)
        return f"; did you mean {near[0]}?" if near else ""

    def _shown(self) -> str:
        """The value as the file writes it: what a variable or a secret file holds stays hidden."""
        value = self._error["input"]
        if value is None:
            return "no value"
        if isinstance(value, dict | list):
            return "a list" if isinstance(value, list) else "a section"
        if allowed_at(self._model, self._location).secret:
            return HIDDEN
        return _quoted(self._source.written.get(self.key, HIDDEN))


def _quoted(text: str) -> str:
    shown = redact(text)
    cut = shown[:_SHOWN_CHARACTERS]
    return repr(cut + "..." if cut != shown else shown)
