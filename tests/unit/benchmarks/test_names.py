"""No test runs a benchmark, so a name that one of them imports could be renamed without notice."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests import benchmarks

MODULES = sorted(path.stem for path in Path(benchmarks.__path__[0]).glob("*.py") if not path.stem.startswith("__"))


@pytest.mark.parametrize("module", MODULES)
def test_what_a_benchmark_imports_exists(module: str) -> None:
    importlib.import_module(f"tests.benchmarks.{module}")
