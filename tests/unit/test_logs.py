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
from aiohttp.http_exceptions import BadHttpMessage
from dbos._logger import init_logger

from bot import logs

TOKEN = "123456789:AAF-abcdefghijklmnopqrstuvwxyz_01234"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, dbos = logging.getLogger(), logging.getLogger("dbos")
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in (root, dbos)]
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers[:], logger.level, logger.propagate = handlers, level, propagate
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


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: tma query_id=AAE&user=%7B%22id%22%3A1%7D&auth_date=1&hash=0123456789abcdef0123456789abcdef",
        "Invalid header value: b'Authorization: Bearer 12345.1700000000.1700001800.en." + "k" * 43 + "\\x00'",
        "session 12345.1700000000.1700001800.." + "k" * 43,
        "data: auth_date=1&hash=0123456789abcdef0123456789abcdef&signature=abcdefghijklmnopqrstuvwxyz",
    ],
)
def test_what_pages_prove_themselves_with_is_hidden(capsys: pytest.CaptureFixture[str], text: str) -> None:
    logs.configure("DEBUG", "console", [])
    logging.getLogger("some.library").warning("received %s", text)
    printed = capsys.readouterr().err
    assert logs.HIDDEN in printed
    assert "kkkkkkkk" not in printed
    assert "0123456789abcdef" not in printed


def test_a_malformed_request_is_one_line_without_what_was_sent(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "console", [])
    try:
        raise BadHttpMessage("Invalid header: b'Authorization: secret-of-the-sender'")
    except BadHttpMessage as error:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", "203.0.113.9", exc_info=error)
    printed = capsys.readouterr().err
    assert "malformed request from 203.0.113.9" in printed
    assert "secret-of-the-sender" not in printed
    assert printed.count("\n") == 1


def test_what_a_library_repeats_is_logged_a_few_times(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "console", [])
    for _ in range(1000):
        logging.getLogger("asyncio").error("socket.accept() out of system resource")
    logging.getLogger("asyncio").error("something else")
    printed = capsys.readouterr().err
    assert printed.count("out of system resource") == logs.MAX_REPEATS + 1
    assert printed.count("not logged") == 1
    assert "something else" in printed


def test_a_repeated_message_is_logged_again_later() -> None:
    now = [0.0]
    repeated = logs.LibraryFilter(clock=lambda: now[0])

    def is_logged() -> bool:
        return repeated.filter(logging.LogRecord("asyncio", logging.ERROR, "", 0, "again", None, None))

    assert [is_logged() for _ in range(10)].count(True) == logs.MAX_REPEATS + 1
    now[0] = logs.REPEAT_SECONDS
    assert is_logged()


OUTAGES = (
    "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection to server failed: refused\n(Background)",
    "psycopg.OperationalError: consuming input failed: timeout",
    "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database or disk is full\n(Background)",
)


@pytest.mark.parametrize("text", OUTAGES)
def test_what_dbos_says_about_an_outage_is_one_line_in_our_format(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    logs.configure("INFO", "json", [])
    library = logging.getLogger("dbos")
    init_logger()  # DBOS adds a handler, unless it has one
    for _ in range(100):
        library.warning(
            f"Exception polling: Traceback (most recent call last):\n  File\n{text}",
            extra={"executorID": "abc", "operationUUID": "an-edit:1"},
        )
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert line["event"].startswith("Exception polling: ")
    assert "OperationalError" in line["event"]
    assert (line.get("executorID"), line["operationUUID"]) == (None, "an-edit:1")


def test_an_outage_in_the_error_of_a_dbos_line_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "json", [])
    library = logging.getLogger("dbos")
    library.error("Exception in a workflow:", exc_info=OSError("server closed the connection unexpectedly\n\tmore"))
    library.error("", exc_info=RuntimeError("server closed the connection"))
    first, second = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert first.startswith("Exception in a workflow: server closed the connection unexpectedly (further")
    assert "server closed the connection" in second


def test_other_errors_of_dbos_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "console", [])
    library = logging.getLogger("dbos")
    for error in (KeyError("surprise"), ValueError("another"), OSError("database or disk is full")):
        try:
            raise error
        except (KeyError, ValueError, OSError):
            library.exception("Exception encountered in asynchronous workflow:")
    printed = capsys.readouterr().err
    assert printed.count("Traceback") == 3
    for words in ("KeyError: 'surprise'", "ValueError: another", "disk is full"):
        assert words in printed
    assert "not logged" not in printed
