"""An operator's mistake is answered with one line: the setting's name and what to do. Nothing is left open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.mistakes import MISTAKES, check_is_clean, outcome, start, world_in


@pytest.mark.parametrize("name", MISTAKES)
async def test_a_mistake_is_one_line_that_names_its_setting(name: str, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    async with world_in(tmp_path) as world:
        code, output = await outcome(await start(tmp_path, mistake.make(world)))
    check_is_clean(output)
    *logged, line = output.splitlines()
    assert line.startswith(f"python -m bot: {mistake.setting}: "), output
    assert mistake.words in line
    assert code == 2
    assert all("[error" not in line for line in logged), output
