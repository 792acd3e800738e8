"""What a verb imports: learnt from one run of it, then imported alone to be measured.

``python -m benchmarks.imports learn FILE MODULE [ARGUMENT ...]`` runs a module as a program and
writes which modules it loaded; ``python -m benchmarks.imports load FILE`` loads just those.
"""

import contextlib
import importlib
import json
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path


def main(how: str, file: str, *rest: str) -> None:
    """As the module's docstring says."""
    if how == "learn":
        learn(Path(file), rest[0], rest[1:])
    else:
        load(Path(file))


def learn(file: Path, module: str, arguments: Sequence[str]) -> None:
    """The names in the order of loading. Ends as the program does."""
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        names = [name for name in sys.modules if name not in ("__main__", __name__)]
        file.write_text(json.dumps(names), encoding="utf-8")


def load(file: Path) -> None:
    """Some names are of modules that only exist inside others; those come with them."""
    for name in json.loads(file.read_text(encoding="utf-8")):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
