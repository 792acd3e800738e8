"""The architecture: imports point inwards, and Dagster stays at the edge."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import dp_assets

ROOT = Path(dp_assets.__file__).parent
STDLIB = set(sys.stdlib_module_names)
# PyIceberg's value types are the words of our field; its catalogs and IO are not.
WORDS = {"pydantic", "yaml", "pyarrow"} | {
    f"pyiceberg.{name}"
    for name in (
        "schema",
        "types",
        "partitioning",
        "transforms",
        "table.snapshots",
        "table.metadata",
        "manifest",
        "expressions",
        "typedef",
    )
}
OURS = {
    "core": {"core"},
    "ports": {"core", "ports"},
    "domains": {"core", "ports", "domains"},
    "adapters": {"core", "ports", "adapters"},
}
# Decisions take the clock as an argument, and leave files, processes and networks to adapters.
OUTSIDE_WORLD = {"http", "os", "shutil", "socket", "sqlite3", "subprocess", "tempfile", "time"}
# What belongs to Dagster, or to a front door. Everything else works with Dagster gone.
EDGE = {"cli", "definitions", "defs", "failures", "keys", "orchestration"}
CLI = {"typer", "dp_assets.cli"} | {f"dp_assets.core.{n}" for n in ("errors", "ids", "units")}


def names(node: ast.AST) -> Iterator[str]:
    """What an import statement brings in, as dotted names; nothing for other statements."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imports(file: Path) -> frozenset[str]:
    """Everything a file imports anywhere in it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(name for node in ast.walk(tree) for name in names(node))


def imports_at_load(file: Path) -> Iterator[str]:
    """What merely importing a file imports: not what stands in functions or for type checkers."""
    pending: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        yield from names(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending.extend(node.orelse)
        else:
            pending.extend(ast.iter_child_nodes(node))


def within(name: str, allowed: set[str]) -> bool:
    """Whether a dotted name is one of ``allowed`` or inside it."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)


def files(*parts: str) -> list[Path]:
    return sorted(ROOT.joinpath(*parts).rglob("*.py"))


def inside() -> list[Path]:
    return [f for f in files() if where(f).split("/")[0].removesuffix(".py") not in EDGE]


def where(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def vendors(layer: str, file: Path) -> set[str]:
    """What a file of a layer may import besides our own."""
    if where(file).startswith("domains/quality/"):
        return WORDS | {"pandera", "polars"}
    return WORDS if layer != "adapters" else set()


@pytest.mark.parametrize("layer", OURS)
def test_imports_point_inwards(layer):
    ours = {f"dp_assets.{name}" for name in OURS[layer]}
    wrong = [
        f"{where(file)} imports {name}"
        for file in files(layer)
        for name in imports(file)
        if (name.startswith("dp_assets") and not within(name, ours))
        or (layer != "adapters" and not within(name, ours | STDLIB | vendors(layer, file)))
    ]
    assert wrong == []


@pytest.mark.parametrize("layer", ["ports", "domains"])
def test_decisions_touch_nothing_outside(layer):
    wrong = [
        f"{where(file)} imports {name}"
        for file in files(layer)
        for name in imports(file)
        if within(name, OUTSIDE_WORLD | {"urllib.request"})
    ]
    assert wrong == []


def test_dagster_stays_at_the_edge():
    users = {where(f) for f in inside() if any(within(name, {"dagster"}) for name in imports(f))}
    assert users == set()


def test_nothing_inside_knows_the_edge():
    edge = {f"dp_assets.{name}" for name in EDGE}
    users = {where(f) for f in inside() if any(within(name, edge) for name in imports(f))}
    assert users == set()


def test_little_code_depends_on_dagster():
    lines = {f: len(f.read_text(encoding="utf-8").splitlines()) for f in files()}
    bound = sum(n for f, n in lines.items() if any(within(i, {"dagster"}) for i in imports(f)))
    assert bound / sum(lines.values()) <= 0.40


def test_the_command_line_starts_without_engines():
    wrong = [
        f"{where(file)} imports {name}"
        for file in files("cli")
        for name in imports_at_load(file)
        if not within(name, STDLIB | CLI)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "loaded"),
    [
        pytest.param("import a.b as c", {"a.b"}, id="plain"),
        pytest.param("from a import b, c", {"a.b", "a.c"}, id="from"),
        pytest.param("try:\n  import a\nexcept ImportError:\n  import b", {"a", "b"}, id="try"),
        pytest.param("class A:\n  import a", {"a"}, id="class-body"),
        pytest.param("def f():\n  import a", set(), id="function"),
        pytest.param("if t.TYPE_CHECKING:\n  import a\nelse:\n  import b", {"b"}, id="types"),
    ],
)
def test_imports_at_load_sees_what_python_would(tmp_path, source, loaded):
    file = tmp_path / "module.py"
    file.write_text(source, encoding="utf-8")
    assert set(imports_at_load(file)) == loaded
