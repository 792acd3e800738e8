"""The lakehouses that the recovery cases back up: made once per size and shape, then kept."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import BenchmarkError, Side, environment

DP = "dp_assets.cli.main"
MADE_BY = "2"  # of benchmarks/made_table.py; another one there makes all data anew
SETTINGS = """\
environment: benchmark
catalog: {{uri: "sqlite:///{folder}/catalog.db"}}
warehouse: {{root: "{folder}/warehouse"}}
repository: {{url: "{{state}}/repository"}}
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the data is spread; ``files`` and ``size_bytes`` are those of one table.

    Attributes:
        deletes: a tenth of the rows is deleted by position-delete files (merge on read).
    """

    files: int
    size_bytes: int
    tables: int = 1
    deletes: bool = False

    def __str__(self) -> str:
        tables = f"{self.tables:,} tables of " if self.tables > 1 else ""
        size = f"{self.size_bytes / 1e9:g} GB" if self.size_bytes >= 1e7 else "a few KB"
        deletes = ", merge on read" if self.deletes else ""
        return f"{tables}{self.files:,} file{'s' if self.files > 1 else ''}, {size}{deletes}"


@dataclass(frozen=True, slots=True)
class Lake:
    """A lakehouse in a folder of its own; its repository is in whichever state folder is used."""

    folder: Path

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse"

    @property
    def variables(self) -> dict[str, str]:
        """What `dp` needs to work on it."""
        return {"DP_CONFIG": str(self.folder / "lakehouse.yaml")}

    def destroy(self, away: Path) -> None:
        """As after a disaster: catalog and files are gone.

        They are moved away: see :func:`measure` for what deleting would cost those who come after.
        """
        self.folder.rename(away)

    def dp(self, state: Path, *words: str) -> None:
        """Run a verb unmeasured, with its state in ``state``."""
        run_module(DP, *words, state=state, variables=self.variables)


def lake(shape: Shape, work: Path) -> Lake:
    """The lakehouse of ``shape``: the one that is there, or a new one."""
    kind = "mor" if shape.deletes else "cow"
    name = f"{shape.tables}x{shape.files}x{shape.size_bytes}-{kind}-{MADE_BY}"
    folder = work / "lakes" / name
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        make_lake(shape, folder, state=work / "making")
        (folder / "made").touch()
    return Lake(folder)


def kept_lake(name: str, work: Path, module: str, *words: str) -> Lake:
    """The lakehouse that ``python -m module words`` makes, or the one that it has made before.

    Its catalog is as it was made; what has been written since is there, and named by nothing.
    """
    folder = work / "lakes" / name
    catalog, made = folder / "catalog.db", folder / "made"
    if not made.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "lakehouse.yaml").write_text(SETTINGS.format(folder=folder), encoding="utf-8")
        state = work / "making"
        run_module(module, *words, state=state, variables=Lake(folder).variables)
        shutil.rmtree(state, ignore_errors=True)
        shutil.copyfile(catalog, made)
    put_back(Lake(folder))
    return Lake(folder)


def put_back(lake: Lake) -> None:
    """The catalog of a kept lake as it was made."""
    shutil.copyfile(lake.folder / "made", lake.folder / "catalog.db")


def forget_new_files(lake: Lake) -> None:
    """Delete what was written to a kept lake after it was made."""
    made = (lake.folder / "made").stat().st_mtime
    for path in lake.warehouse.rglob("*"):
        if path.is_file() and path.stat().st_mtime > made:
            path.unlink()


def make_lake(shape: Shape, folder: Path, *, state: Path) -> Lake:
    """A new lakehouse in a folder that is not there yet."""
    folder.mkdir(parents=True)
    (folder / "lakehouse.yaml").write_text(SETTINGS.format(folder=folder), encoding="utf-8")
    found = Lake(folder)
    words = (str(shape.tables), str(shape.files), str(shape.size_bytes))
    deletes = "yes" if shape.deletes else "no"
    run_module("benchmarks.made_lake", *words, deletes, state=state, variables=found.variables)
    shutil.rmtree(state, ignore_errors=True)
    return found


def run_module(module: str, *words: str, state: Path, variables: Mapping[str, str]) -> None:
    """Run a module unmeasured. Raises BenchmarkError when it fails."""
    state.mkdir(parents=True, exist_ok=True)
    run([sys.executable, "-m", module, *words], environment(state) | dict(variables))


def run(command: list[str], variables: Mapping[str, str]) -> None:
    """Run a program unmeasured. Raises BenchmarkError when it fails."""
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        said = f"{done.stdout}{done.stderr}"[-2000:]
        raise BenchmarkError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")


def starting(side: Side, work: Path, *, state: Path) -> Side:
    """A side that only starts Python and imports what ``side`` does.

    ``side`` must run a module; it is run once, unmeasured, in ``state``.
    """
    dash_m, module, *words = side.arguments
    if dash_m != "-m":
        raise BenchmarkError(f"{side.name} runs no module")
    learnt = work / f"imports-{side.name.replace(' ', '-').replace('/', '-')}.json"
    variables = {"DP_STATE": str(state), **side.environment}
    words = [word.replace("{state}", str(state)) for word in words]
    run_module(
        "benchmarks.imports", "learn", str(learnt), module, *words, state=state, variables=variables
    )
    return Side(start_of(side.name), ("-m", "benchmarks.imports", "load", str(learnt)))


def start_of(name: str) -> str:
    """The name of the side that only starts what the side ``name`` starts."""
    return f"{name}: start"
