"""The command line in Chinese, by LANGUAGE or the terminal's locale: help, wrong arguments, wrong settings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import columns
from bot.terminal import choose_language
from tests.cli.conftest import ROOT, Run, environment
from tests.cli.words import english_in, is_chinese


@pytest.mark.parametrize(
    ("environment", "in_file", "expected"),
    [
        ({}, None, "en"),
        ({"LANG": "zh_CN.UTF-8"}, None, "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "en", "en"),
        ({"LANG": "C.UTF-8"}, "zh", "zh"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_TW.UTF-8"}, None, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, None, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, None, "zh"),
        ({"LANG": "de_DE.UTF-8"}, None, "en"),
        ({"LANGUAGE": "zh_CN:en", "LANG": "en_US.UTF-8"}, None, "zh"),
        ({"LANGUAGE": "de:zh", "LANG": "en_US.UTF-8"}, None, "zh"),
        ({"LANGUAGE": "en", "LANG": "zh_CN.UTF-8"}, "zh", "en"),
        ({"language": "zh"}, None, "zh"),
        ({"LANGUAGE": ""}, "zh", "zh"),
        ({"LANGUAGE": "nonsense", "LANG": "zh_CN"}, None, "zh"),
    ],
)
def test_the_setting_decides_then_the_locale(environment: dict[str, str], in_file: str | None, expected: str) -> None:
    assert choose_language(environment, in_file) == expected


@pytest.mark.parametrize("command", ["", "run", "worker", "edit", "doctor", "models", "sweep"])
def test_help_is_all_in_chinese(bot: Run, tmp_path: Path, command: str) -> None:
    helped = bot(tmp_path, *command.split(), "--help", LANG="zh_CN.UTF-8", COLUMNS="80")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert helped.stdout.startswith("用法：python -m bot")
    assert not english_in(" ".join(helped.stdout.split())), helped.stdout
    for english in ("usage", "options", "positional", "show this"):
        assert english not in helped.stdout
    assert all(columns(line) <= 80 for line in helped.stdout.splitlines()), helped.stdout
    assert "gradient" in helped.stdout or command != "edit"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["sweep", "--finnish"],
        ["edit", "paint", "a.jpg", "-o", "b.jpg"],
        ["edit", "erase", "a.jpg"],
        ["edit", "erase", "a.jpg", "-o"],
        ["edit", "erase", "a.jpg", "-o", "b.jpg", "--seed", "x"],
        ["edit", "erase", "a.jpg", "-o", "b.jpg", "--s", "x"],
        ["sweep", "--dry-run=x"],
        ["edit", "erase", "a.jpg", "-o", "b.jpg"],
        ["edit", "remove-subject", "a.jpg", "b.jpg", "-o", "c.jpg"],
        ["edit", "remove-subject", "missing.jpg", "-o", "c.jpg"],
        ["models", "download", "nonsense"],
    ],
    ids=" ".join,
)
def test_a_wrong_argument_is_one_chinese_line(bot: Run, tmp_path: Path, arguments: list[str]) -> None:
    done = bot(tmp_path, *arguments, LANGUAGE="zh")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = (line for line in done.stderr.splitlines() if "注意：" not in line)
    assert is_chinese(line), line


def test_what_other_commands_print_is_chinese(bot: Run, tmp_path: Path) -> None:
    for command in ("models", "sweep"):
        done = bot(tmp_path, command, LANG="zh_CN.UTF-8")
        assert done.returncode == 0
        lines = [line.partition("（")[0].partition(" (")[0] for line in done.stdout.splitlines()]  # names of licences
        assert all(is_chinese(line) for line in lines), done.stdout


def test_the_language_in_the_file_counts_although_another_setting_is_wrong(bot: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=seventy\nLANGUAGE=zh\n")
    done = bot(tmp_path, "doctor")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "python -m bot: PORT：要写整数；例如 PORT=8080\n"


def test_gettexts_list_of_languages_is_no_wrong_setting(bot: Run, tmp_path: Path) -> None:
    done = bot(tmp_path, "sweep", LANGUAGE="zh_CN:en_US:en")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("已删除：")
    assert bot(tmp_path, "sweep", LANGUAGE="de_DE:de").returncode == 0
    assert "LANGUAGE: input should be 'en' or 'zh'" in bot(tmp_path, "sweep", LANGUAGE="de").stderr


def test_a_terminal_without_chinese_letters_gets_english(bot: Run, tmp_path: Path) -> None:
    done = bot(tmp_path, "--help", LANGUAGE="zh", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_a_file_that_is_not_utf_8_is_explained(bot: Run, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes("# 令牌\nPORT=8081\n".encode("gb18030"))
    wrong = bot(tmp_path, "sweep", LANG="zh_CN.UTF-8")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("python -m bot: .env：不是 UTF-8 文本")
    (command,) = wrong.stderr.split("`")[1::2]
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    assert bot(tmp_path, "sweep").returncode == 0


def test_help_in_english_reads_no_catalogue(tmp_path: Path) -> None:
    code = "import sys; from bot.cli import build_parser; build_parser().format_help(); print('babel' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
