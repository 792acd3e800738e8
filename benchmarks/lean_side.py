"""``python -m benchmarks.lean_side MODULE WORD...``: ours, started as `dp maintain` is."""

import sys
from importlib import import_module

from dp_assets.adapters.lean_process import lean_process


def main(module: str, *words: str) -> None:
    """Import the module, which imports PyArrow, and let it do what the words say."""
    with lean_process():
        import_module(module).main(*words)


if __name__ == "__main__":
    main(*sys.argv[1:])
