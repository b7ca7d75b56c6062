"""SIGTERM and SIGINT: when a process stops, and by when it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Iterator

import structlog

from bot.terminal import ExitCode

log = structlog.get_logger()

STOP_SECONDS = 32.0
"""Seconds from the first signal to the end of the process, whatever hangs; compose.yaml waits 35 s before it kills.
Nothing is lost: the next start continues as after any kill."""


def exit_at_sigterm() -> None:
    """Let SIGTERM end a process that has not begun its work. As process 1 of a container it would ignore the signal."""
    signal.signal(signal.SIGTERM, _exit)


def _exit(*_signal: object) -> None:
    raise SystemExit(ExitCode.DONE)


@contextlib.contextmanager
def signals_set(stop: asyncio.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set `stop`. A second SIGINT (Ctrl-C) ends the process at once."""
    loop = asyncio.get_running_loop()
    received: list[signal.Signals] = []

    def stop_by(number: signal.Signals) -> None:
        received.append(number)
        if len(received) == 1:
            stop.set()
            timer = threading.Timer(STOP_SECONDS, _end, ["stop_took_too_long", ExitCode.STOP_FORCED])
            timer.daemon = True
            timer.start()
        elif number is signal.SIGINT:
            _end("stopped_at_once", ExitCode.INTERRUPTED)

    caught = (signal.SIGTERM, signal.SIGINT)
    for number in caught:
        loop.add_signal_handler(number, stop_by, number)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
            if received:  # the process is about to end, with its own exit code
                signal.signal(number, signal.SIG_IGN)


def _end(event: str, code: ExitCode) -> None:
    """End this process without waiting for its threads: one may hang in a call to the database."""
    log.warning(event, advice="nothing is lost; running edits go on at the next start")
    os._exit(code)
