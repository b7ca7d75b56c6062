"""Run benchmarks and print their tables: `python -m tests.benchmarks [--save FILE] [NAME…]`; no name: all.

With ``--save`` each part's table also replaces the one in a Markdown file, with the day and the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import importlib
import logging
import os
import pkgutil
import platform
import re
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


def machine() -> str:
    """The processor, the cores this process may use, and the Python version."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    information = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*: (.+)", information.read_text()) if information.is_file() else []
    return f"{models[0] if models else platform.machine()}, {cores} cores, Python {platform.python_version()}"


def with_part(document: str, name: str, text: str) -> str:
    """A Markdown document in which the part ``## name`` is `text`; at the end if it has no such part."""
    part = f"## {name}\n\n{text.strip()}\n"
    heading = re.compile(rf"^## {re.escape(name)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if heading.search(document) is None:
        return f"{document.rstrip()}\n\n{part}"
    return heading.sub(lambda _match: f"{part}\n", document).rstrip() + "\n"


def main() -> None:
    """Run the named benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--save", type=Path, metavar="FILE", help="also write the tables into this Markdown file")
    given = parser.parse_args()
    structlog.configure(wrapper_class=QUIET)
    for name in given.names or names():
        module = importlib.import_module(f"tests.benchmarks.{name}")
        title = (module.__doc__ or "").splitlines()[0]
        print(f"\n## {name}: {title}\n", flush=True)
        with contextlib.redirect_stdout(sys.stderr):  # some peers print warnings
            lines = module.main()
        table = "\n".join(lines)
        print(table, flush=True)
        if given.save is not None:
            today = dt.datetime.now(dt.UTC).date()
            text = f"{title}\n\n{table}\n\n*{today}; {machine()}.*"
            given.save.write_text(with_part(given.save.read_text() if given.save.exists() else "", name, text))


if __name__ == "__main__":
    main()
