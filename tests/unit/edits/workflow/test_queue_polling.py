"""When the queue's thread polls."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import psycopg
import pytest
import sqlalchemy as sa
from dbos import _sys_db

from bot.edits.workflow import queue_polling
from bot.edits.workflow.queue_polling import BUSY_SECONDS, LONGEST_OUTAGE_PAUSE, LONGEST_SECONDS, QueuePolling


class Woken:
    """Stands in for the event that wakes the thread: notes how long it was waited for."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def clear(self) -> None: ...
    def set(self) -> None: ...


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def polling(stop: threading.Event) -> QueuePolling:
    polling = QueuePolling("edits", idle_seconds=2.0)
    polling.replace_waits([stop])
    return polling


def pause_of(stop: threading.Event, polling: QueuePolling, asked: float = BUSY_SECONDS) -> float:
    """The pause that the queue's thread makes when DBOS asks for one."""
    woken = Woken()
    polling._woken = woken  # type: ignore[assignment]
    thread = threading.Thread(target=stop.wait, args=(asked,), name="queue-worker-edits")
    thread.start()
    thread.join()
    (pause,) = woken.waits
    return pause


def test_an_idle_queue_is_polled_rarely(stop: threading.Event, polling: QueuePolling) -> None:
    assert pause_of(stop, polling) == 2.0


def test_a_busy_queue_is_polled_often(stop: threading.Event, polling: QueuePolling) -> None:
    polling.edit_began()
    assert pause_of(stop, polling) == BUSY_SECONDS


def test_polls_stay_frequent_for_a_moment(
    stop: threading.Event, polling: QueuePolling, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("bot.edits.workflow.queue_polling.time.monotonic", lambda: now)
    polling.edit_began()
    polling.edit_ended()
    assert pause_of(stop, polling) == BUSY_SECONDS
    now += 5
    assert pause_of(stop, polling) == 2.0
    polling.poll_now()
    assert pause_of(stop, polling) == BUSY_SECONDS


def test_dbos_asks_for_longer_pauses_when_processes_compete(stop: threading.Event, polling: QueuePolling) -> None:
    polling.edit_began()
    assert pause_of(stop, polling, asked=8 * BUSY_SECONDS) == pytest.approx(8 / 1.05 * BUSY_SECONDS)


def test_no_pause_grows_beyond_ten_seconds(stop: threading.Event, polling: QueuePolling) -> None:
    polling.edit_began()
    assert pause_of(stop, polling, asked=120.0) == LONGEST_SECONDS


def test_an_enqueue_before_the_pause_ends_it(stop: threading.Event, polling: QueuePolling) -> None:
    polling.idle_seconds = 3600.0
    polling.poll_now()
    thread = threading.Thread(target=stop.wait, args=(3600.0,), name="queue-worker-edits", daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


def test_the_end_of_the_program_ends_the_pause(stop: threading.Event, polling: QueuePolling) -> None:
    thread = threading.Thread(target=stop.wait, args=(3600.0,), name="queue-worker-edits", daemon=True)
    thread.start()
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_other_threads_wait_as_before(stop: threading.Event, polling: QueuePolling) -> None:
    polling.poll_now()
    assert stop.wait(0.001) is False
    stop.set()
    assert stop.wait() is True


def test_while_the_database_does_not_answer_dbos_tries_again_every_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(_sys_db, "time", time)
    monkeypatch.setattr(queue_polling, "time", SimpleNamespace(sleep=pauses.append))
    queue_polling.shorten_outage_pauses()
    refused = psycopg.OperationalError("connection failed: Connection refused")
    tries = iter([sa.exc.OperationalError("SELECT 1", {}, refused)] * 8)

    @_sys_db.db_retry()
    def ask() -> str:
        for error in tries:
            raise error
        return "answered"

    assert ask() == "answered"
    assert len(pauses) == 8
    assert max(pauses) <= LONGEST_OUTAGE_PAUSE
