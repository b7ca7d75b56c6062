"""An operator's mistake is answered with one line: the setting's name and what to do. Nothing is left open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.mistakes import MISTAKES, check_is_clean, outcome, start, world_in
from tests.cli.words import is_chinese

IN_CHINESE = (
    *("a password with an at sign", "a database that does not listen", "a garbage database file"),
    *("a folder as the database", "a file where DATA_DIR has a folder", "a port in use", "a host of another machine"),
    *("an unknown token", "a webhook that Telegram refuses", "a web page as Bot API"),
)
"""A mistake for each module that words some."""


@pytest.mark.parametrize("name", IN_CHINESE)
async def test_a_mistake_is_told_in_the_terminals_language(name: str, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    async with world_in(tmp_path) as world:
        code, output = await outcome(await start(tmp_path, mistake.make(world) | {"LC_ALL": "zh_CN.UTF-8"}))
    check_is_clean(output)
    line = output.splitlines()[-1]
    assert line.startswith(f"python -m bot: {mistake.setting}：")
    assert is_chinese(line), line
    assert code == 2


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
