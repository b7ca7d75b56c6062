"""`doctor` on broken set-ups, in both languages: each line leads to the fix when it is followed literally."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.doctor.machine import permissions
from bot.settings import Settings as BotSettings
from bot.terminal import ExitCode
from bot.texts.operator_texts import translated
from tests import forked
from tests.cli.broken import BROKEN
from tests.cli.conftest import Run, environment
from tests.cli.mistakes import PASSWORD, Settings, check_is_clean
from tests.cli.place import Place, place_in
from tests.cli.words import is_chinese

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")

LEVELS = {"ok": "ok  ", "warn": "warn ", "fail": "FIX  "}

IN_CHINESE = ({"LANGUAGE": "zh"}, {"LANG": "zh_CN.UTF-8"}, {"LANG": "C", "LC_ALL": "zh_CN.UTF-8"})
"""What makes the doctor speak Chinese."""


async def doctor(place: Place, settings: Settings, *arguments: str, **more: str) -> tuple[int, str]:
    """Run the doctor; returns the exit code and all that it wrote."""
    values = environment(**({"WORKERS": "1", "PYTHONWARNINGS": "default"} | settings | more))
    process: forked.Forked | asyncio.subprocess.Process
    if place.before:
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", f'{place.before} && exec "$@"', "sh", sys.executable, "-m", "bot", "doctor", *arguments,
            cwd=place.folder,
            env=values,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    else:
        process = forked.start("doctor", *arguments, folder=place.folder, environment=values)
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


def line_about(output: str, subject: str, language: str) -> str:
    """The worst line about a subject."""
    title = f"{translated(subject, language)}{': ' if language == 'en' else '：'}"
    lines = [line for line in output.splitlines() if line.split(" ", 1)[1].lstrip().startswith(title)]
    assert lines, output
    return max(lines, key=lambda line: list(LEVELS.values()).index(line[: line.index(title)]))


@pytest.mark.parametrize("name", BROKEN)
async def test_following_the_line_fixes_the_set_up(name: str, tmp_path: Path) -> None:
    broken, number = BROKEN[name], list(BROKEN).index(name)
    chinese = IN_CHINESE[number % len(IN_CHINESE)]
    async with place_in(tmp_path) as place:
        settings = await broken.make(place)
        results = await asyncio.gather(doctor(place, settings), doctor(place, settings, **chinese))
        lines = []
        for (code, output), language in zip(results, ("en", "zh"), strict=True):
            check_is_clean(output)
            for secret in (place.world.telegram.telegram.token, PASSWORD, "secret-path"):
                assert secret not in output
            line = line_about(output, broken.subject, language)
            lines.append(line)
            assert line.startswith(LEVELS[broken.level]), output
            assert all(word in line for word in broken.words), line
            failed = any(one.startswith("FIX ") for one in output.splitlines())
            assert code == (ExitCode.INPUT_ERROR if failed else ExitCode.DONE)
            for one in output.splitlines():
                assert is_chinese(one) == (language == "zh"), one
        # Half of them are followed in Chinese.
        settings = await broken.fix(place, settings, lines[number % 2])
        _, output = await doctor(place, settings)
        assert line_about(output, broken.subject, "en").startswith("ok "), output


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_wrong_setting_is_a_document_too(bot: Run, tmp_path: Path, language: str) -> None:
    done = bot(tmp_path, "doctor", "--json", PORT="seventy", LANG=f"{language}_XX.UTF-8")
    assert (done.returncode, done.stderr) == (ExitCode.INPUT_ERROR, "")
    (found,) = json.loads(done.stdout)
    assert (found["subject"], found["level"]) == ("settings", "fail")
    assert found["text"].startswith("PORT：" if language == "zh" else "PORT: ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
def test_the_doctor_as_root_names_the_bots_user(bot: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    os.chown(tmp_path / "data", 65534, -1)
    line = next(line for line in bot(tmp_path, "doctor").stdout.splitlines() if "permissions: " in line)
    user = pwd.getpwuid(65534).pw_name
    assert line.startswith(f"warn permissions: DATA_DIR belongs to {user}, and this is root")
    assert f"`sudo -u {user} …`" in line


async def test_a_file_that_the_bot_cannot_write_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "cache").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "cache")  # for root there is no such file
    (finding,) = await permissions(BotSettings(_env_file=None, data_dir=tmp_path / "data"))
    assert finding.level == "fail"
    assert " cannot write to cache in DATA_DIR: `sudo chown -R " in finding.text


async def test_a_bot_that_runs_with_a_public_address_is_all_right(tmp_path: Path, segmenter_folder: Path) -> None:
    async with place_in(tmp_path) as place:
        settings = await BROKEN["a proxy whose bot does not run"].make(place) | {"TELEGRAM_UPDATES": "webhook"}
        await BROKEN["a proxy whose bot does not run"].fix(place, settings, "")
        code, output = await doctor(place, settings)
        assert (code, {line[:4] for line in output.splitlines()}) == (0, {"ok  "}), output
        code, output = await doctor(place, settings, "--json", LANGUAGE="zh")
    found = json.loads(output)
    assert (code, {one["level"] for one in found}) == (0, {"ok"})
    assert [one["subject"] for one in found] == [
        *("settings", "permissions", "disk", "memory", "open files", "database"),
        *("Telegram", "groups", "commands", "updates", "clock", "public address", "cloud engine", "local engine"),
    ]
    assert all(is_chinese(one["text"]) for one in found)
    assert found[0]["title"] == "设置"
