"""Output that goes into a pipe whose reader has closed it, such as `head`: no traceback, no noise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.terminal import ExitCode
from tests.cli.conftest import environment
from tests.support import scene


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], ExitCode.DONE),
        (["edit", "--help"], ExitCode.DONE),
        (["--version"], ExitCode.DONE),
        (["doctor"], ExitCode.READER_GONE),
        (["doctor", "--json"], ExitCode.READER_GONE),
        (["models"], ExitCode.READER_GONE),
        (["sweep"], ExitCode.READER_GONE),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_closed_pipe_is_silent(tmp_path: Path, arguments: list[str], code: int) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=240,
        check=False,
    )
    os.close(writing)
    assert (done.stderr, done.returncode) == ("", code)


def test_the_doctor_into_head_is_one_line(tmp_path: Path) -> None:
    line = f'"{sys.executable}" -m bot doctor | head -n 1'
    done = subprocess.run(
        line, shell=True, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=240, check=True
    )
    assert (done.stdout, done.stderr) == ("ok  settings: all valid\n", "")


def test_edits_go_on_when_nobody_reads_the_warnings(tmp_path: Path) -> None:
    for name in ("a.png", "c.png"):
        scene().save(tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"no picture")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "bot", "edit", "remove-subject", "b.png", "a.png", "c.png", "-o", "out/"],
        cwd=tmp_path,
        env=environment(WORKERS="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=writing,
        timeout=240,
        check=False,
    )
    os.close(writing)
    assert done.returncode == ExitCode.INPUT_ERROR
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.png", "c.png"}
