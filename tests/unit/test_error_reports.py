"""Errors of the log as reports, received by a server of the test that reads Sentry's envelopes."""

from __future__ import annotations

import gzip
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot import cli, logs
from bot.engine_wiring import secrets_in
from bot.settings import Settings

TOKEN = "123456:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"
KEY = "0123456789abcdef"


class Sentry:
    """A server that keeps the reports it gets; `status` is its answer to each."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self.status = 200
        sentry = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    data = gzip.decompress(data)
                lines = data.splitlines()
                for kind, item in zip(lines[1::2], lines[2::2], strict=True):
                    assert json.loads(kind)["type"] == "event"
                    sentry.events.append(json.loads(item))
                sentry.headers.append(self.headers["X-Sentry-Auth"])
                self.send_response(sentry.status)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def dsn(self) -> str:
        return f"http://{KEY}@127.0.0.1:{self.server.server_port}/7"


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    server = Sentry()
    thread = threading.Thread(target=server.server.serve_forever)
    thread.start()
    yield server
    server.server.shutdown()
    thread.join()
    server.server.server_close()


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def settings(sentry: Sentry | None, folder: Path) -> Settings:
    dsn = sentry.dsn if sentry else None
    return Settings(_env_file=None, telegram_bot_token=TOKEN, data_dir=folder, sentry_dsn=dsn)


def divide(photo: bytes) -> float:
    return len(photo) / 0


@pytest.mark.parametrize("style", ["console", "json"])
def test_an_error_is_reported_without_secrets_and_local_variables(sentry: Sentry, tmp_path: Path, style: str) -> None:
    given = settings(sentry, tmp_path)
    logs.configure("INFO", style, secrets_in(given))
    log = structlog.get_logger("bot.edits")
    with cli._reported(given), structlog.contextvars.bound_contextvars(edit="e1"):
        log.warning("not_reported")
        try:
            try:
                divide(b"the photo of a person")
            except ZeroDivisionError as error:
                raise ValueError(f"https://api.telegram.org/bot{TOKEN}/getMe") from error
        except ValueError:
            log.exception("edit_broke", address=f"bot{TOKEN}")
    (event,) = sentry.events
    assert event["logentry"]["message"] == "edit_broke"
    assert event["level"] == "error"
    assert event["tags"] == {"edit": "e1"}
    assert event["release"].startswith("photo-cleaning-bot@")
    assert [error["type"] for error in event["exception"]["values"]] == ["ZeroDivisionError", "ValueError"]
    frames = event["exception"]["values"][0]["stacktrace"]["frames"]
    assert frames[-1]["function"] == "divide"
    text = json.dumps(event)
    assert TOKEN not in text
    assert "the photo of a person" not in text
    assert logs.HIDDEN in text
    assert f"sentry_key={KEY}" in sentry.headers[0]


def test_errors_of_libraries_are_reported_too(sentry: Sentry, tmp_path: Path) -> None:
    given = settings(sentry, tmp_path)
    logs.configure("INFO", "json", secrets_in(given))
    with cli._reported(given):
        logging.getLogger("aiohttp.server").error("cannot serve %s", TOKEN)
    (event,) = sentry.events
    assert event["logentry"]["message"] == f"cannot serve {logs.HIDDEN}"
    assert event["logger"] == "aiohttp.server"


@pytest.mark.parametrize("status", [429, 500])
def test_a_server_that_refuses_stops_nothing(
    sentry: Sentry, tmp_path: Path, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    sentry.status = status
    given = settings(sentry, tmp_path)
    logs.configure("INFO", "json", secrets_in(given))
    with cli._reported(given):
        for number in range(5):
            structlog.get_logger().error("broken", number=number)
    assert 1 <= len(sentry.events) <= 5
    assert [json.loads(line)["number"] for line in capfd.readouterr().err.splitlines()] == [0, 1, 2, 3, 4]


def test_nothing_is_sent_before_and_after_and_without_a_dsn(sentry: Sentry, tmp_path: Path) -> None:
    logs.configure("INFO", "json", [])
    with cli._reported(settings(None, tmp_path)):
        structlog.get_logger().error("no dsn")
    with cli._reported(settings(sentry, tmp_path)):
        pass
    structlog.get_logger().error("after")
    assert sentry.events == []
