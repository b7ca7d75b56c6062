"""Run benchmarks and print their tables: `python -m tests.benchmarks [NAME…]`; no name: all."""

from __future__ import annotations

import contextlib
import importlib
import logging
import pkgutil
import sys
from pathlib import Path

import structlog

QUIET = structlog.make_filtering_bound_logger(logging.ERROR)


def names() -> list[str]:
    """All benchmarks: the modules of this folder with a `main`."""
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return [name for name in found if not name.startswith("_") and hasattr(_module(name), "main")]


def _module(name: str) -> object:
    return importlib.import_module(f"tests.benchmarks.{name}")


def main() -> None:
    """Run the named benchmarks."""
    structlog.configure(wrapper_class=QUIET)
    for name in sys.argv[1:] or names():
        module = importlib.import_module(f"tests.benchmarks.{name}")
        print(f"\n## {name}: {(module.__doc__ or '').splitlines()[0]}\n", flush=True)
        with contextlib.redirect_stdout(sys.stderr):  # some peers print warnings
            lines = module.main()
        print("\n".join(lines), flush=True)


if __name__ == "__main__":
    main()
