"""The JavaScript of both pages: its format, its lint and the types in its JSDoc."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


def load_tool() -> ModuleType:
    path = ROOT / "tools" / "javascript.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load_tool()


@pytest.fixture
def program() -> str:
    found: str | None = tool.deno()
    if found is None:
        pytest.skip("Deno is not installed: run `make setup`")
    return found


@pytest.mark.parametrize("command", tool.CHECKS, ids=["format", "lint", "types"])
def test_both_pages_are_clean(program: str, command: tuple[str, ...]) -> None:
    answer = tool.check(program, *command)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_wrong_type_in_jsdoc_is_found(program: str, tmp_path: Path) -> None:
    script = tmp_path / "wrong.js"
    script.write_text("/** @type {number} */\nexport const width = 'wide';\n")
    answer = tool.check(program, "check", "--config", str(ROOT / "deno.json"), str(script))
    assert answer.returncode != 0
    assert "'string' is not assignable to type 'number'" in answer.stdout + answer.stderr
