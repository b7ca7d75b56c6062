"""Logs: one line for each event, without secrets."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bot import logs

TOKEN = "123456789:AAF-abcdefghijklmnopqrstuvwxyz_01234"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize("style", ["json", "console"])
def test_secrets_are_hidden_in_messages_arguments_and_tracebacks(
    capsys: pytest.CaptureFixture[str], style: str
) -> None:
    logs.configure("INFO", style, ["sekrit-key", TOKEN])
    log = structlog.get_logger()
    log.info("event", url=f"https://api.telegram.org/bot{TOKEN}/getMe", key="sekrit-key")
    logging.getLogger("some.library").warning("calling %s", f"/bot{TOKEN}/getMe")
    try:
        raise RuntimeError(f"no answer from /bot{TOKEN}/getMe with sekrit-key")
    except RuntimeError:
        log.exception("broke")
        logging.getLogger("some.library").exception("broke too")
    printed = capsys.readouterr().err
    assert "broke too" in printed
    assert TOKEN not in printed
    assert "sekrit-key" not in printed
    assert printed.count(logs.HIDDEN) >= 5


def test_a_pasted_bot_token_is_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "console", [])
    structlog.get_logger().info("event", text="987654321:ZZZ-abcdefghijklmnopqrstuvwxyz_01234")
    assert "ZZZ-" not in capsys.readouterr().err


def test_a_json_line_carries_the_edits_id(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "json", [])
    with structlog.contextvars.bound_contextvars(edit="abc"):
        structlog.get_logger().info("edit_done", ms=12)
        logging.getLogger("some.library").warning("hm")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["edit_done", "hm"]
    assert all(line["edit"] == "abc" and line["timestamp"].endswith("Z") for line in lines)


def test_events_below_the_level_are_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("WARNING", "json", [])
    structlog.get_logger().info("quiet")
    logging.getLogger("some.library").info("quiet")
    assert capsys.readouterr().err == ""


def events() -> None:
    """A pixel job that logs twice."""
    log = structlog.get_logger()
    log.info("not_logged")
    log.warning("model_unusable", name="u2netp")


SCRIPT = """
import asyncio, sys
from pathlib import Path
from bot import logs
from bot.imaging.pool import PixelPool
from tests.unit.test_logs import events


async def main():
    logs.configure("WARNING", "json", [])
    async with PixelPool(workers=1, scratch=Path(sys.argv[1])) as pool:
        await pool.run(events)


if __name__ == "__main__":
    asyncio.run(main())
"""


def test_pixel_processes_log_like_their_parent_and_do_not_write_to_stdout(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = Path(__file__).resolve().parents[2]
    # A separate program: pixel processes share the standard streams that the first pool of a program had.
    done = subprocess.run(
        [sys.executable, script, tmp_path],
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")
    entries = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert [(entry["event"], entry["level"]) for entry in entries] == [("model_unusable", "warning")]
