"""YAML as plain values that remember their lines.

Every scalar stays the text that was written, because the reader's types decide what it means:
``no`` may be a name, ``0123`` a password. Only a key without a value is None.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import yaml

from dp_assets.core.errors import ConfigurationError

KeyPath = tuple[str, ...]
Value = str | None | list["Value"] | dict[str, "Value"]

_Compose = Callable[..., yaml.Node | None]
_NULL_TAG = "tag:yaml.org,2002:null"
_PLAIN_TAG = "tag:yaml.org,2002:"
_DOLLAR = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)\}|(\{))")
# PyYAML names the alias or tag handle: the rest of an unquoted password that begins with * or !
_NAMED = re.compile(r"(?<=alias|andle) .*", re.DOTALL)


class FromEnvironment(str):
    """A text with a ``${VARIABLE}`` put in; it may hold a secret, so no message shows it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: at a line (None: not in the file), under a key, in words."""

    line: int | None
    key: KeyPath
    text: str

    def __str__(self) -> str:
        place = (f"line {self.line}" if self.line else "", ".".join(self.key))
        return f"{', '.join(filter(None, place))}: {self.text}"


@dataclass(slots=True)
class YamlSource:
    """A YAML mapping: its values, and where and how each was written.

    Attributes:
        lines: the line of each key, from 1.
        written: scalars before ``${VARIABLE}`` was replaced; safe to show where the key is.
    """

    path: Path
    data: dict[str, Value] = field(default_factory=dict[str, Value])
    lines: dict[KeyPath, int] = field(default_factory=dict[KeyPath, int])
    written: dict[KeyPath, str] = field(default_factory=dict[KeyPath, str])
    problems: list[Problem] = field(default_factory=list[Problem])

    def line_of(self, key: KeyPath) -> int | None:
        """The line of ``key``, or of the nearest section around it that is in the file."""
        found = (self.lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in self.lines)
        return next(found, None)


def read_yaml(path: Path, *, env: Mapping[str, str]) -> YamlSource:
    """Read ``path`` with ``${VARIABLE}`` taken from ``env`` (``$$`` is a dollar sign).

    Duplicate keys, empty values and missing variables are collected in ``problems``.

    Raises:
        ConfigurationError: the file cannot be read, is not YAML, or is not one mapping.
    """
    root = _compose(path, _read_text(path))
    source = YamlSource(path)
    if root is None or root.tag == _NULL_TAG:
        return source
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationError(
            f"{path}, line {root.start_mark.line + 1}: not a mapping of sections",
            hint="write it as 'section:' lines with indented 'key: value' lines below",
        )
    source.data = _Reader(source, env).mapping(root, ())
    return source


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"{path}: not text in UTF-8", hint="save the file as UTF-8"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{path}: {error.strerror or 'cannot be read'}",
            hint="check the path (DP_CONFIG and --config choose the file) and its permissions",
        ) from None


def _compose(path: Path, text: str) -> yaml.Node | None:
    try:
        compose = cast(_Compose, yaml.compose)  # pyright: ignore[reportUnknownMemberType]
        return compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = _NAMED.sub("", error.problem or "not YAML")
    except yaml.reader.ReaderError as error:
        place = f", line {text.count(chr(10), 0, error.position) + 1}"
        what = f"character U+{error.character:04X} is not allowed"
    except RecursionError:
        place, what = "", "nested too deeply"
    raise ConfigurationError(
        f"{path}{place}: {what}", hint="correct the YAML there or on the line before"
    ) from None


class _Reader:
    """Turns nodes into values and fills a source's lines and problems on the way."""

    def __init__(self, source: YamlSource, env: Mapping[str, str]) -> None:
        self._source = source
        self._env = env
        self._seen: set[int] = set()

    def mapping(self, node: yaml.MappingNode, at: KeyPath) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(line, at, "a key must be text")
                continue
            name = str(key_node.value)
            key = (*at, name)
            if name in values:
                first = self._source.lines[key]
                self._report(line, key, f"written twice; the first is on line {first}")
                continue
            self._source.lines[key] = line
            values[name] = self._value(value_node, key)
        return values

    def _value(self, node: yaml.Node, at: KeyPath) -> Value:
        if node.tag == _NULL_TAG:
            return None
        line = node.start_mark.line + 1
        if id(node) in self._seen:  # an alias is its anchor's node again, and may contain itself
            self._report(self._source.lines[at], at, "aliases are not supported; repeat the value")
            return None
        self._seen.add(id(node))
        if not node.tag.startswith(_PLAIN_TAG):
            self._report(line, at, "tags are not supported; quote a text that begins with !")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*at, str(i))) for i, item in enumerate(node.value)]
        return self._scalar(str(node.value), at, line=line)

    def _scalar(self, text: str, at: KeyPath, *, line: int) -> str:
        self._source.written[at] = text
        if not text.strip():
            self._report(line, at, "empty; leave the key out to get its default")
        if "$" not in text:
            return text
        return FromEnvironment(_DOLLAR.sub(lambda m: self._variable(m, at, line), text))

    def _variable(self, match: re.Match[str], at: KeyPath, line: int) -> str:
        name, broken = match.groups()
        if broken:
            self._report(line, at, "'${' begins a variable; write ${NAME}, or $${ for the text")
        if not name:
            return "$"
        value = self._env.get(name, "")
        if not value:
            state = "empty" if name in self._env else "not set"
            self._report(line, at, f"environment variable {name} is {state}")
        return value

    def _report(self, line: int, key: KeyPath, text: str) -> None:
        self._source.problems.append(Problem(line, key, text))
