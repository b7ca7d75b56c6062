"""Fixtures for tests of every kind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from dbos._event_loop import BackgroundEventLoop
from hypothesis import HealthCheck, settings

from bot import wiring
from bot.chat.api.flood_limiter import FloodLimiter
from bot.models.files import SETUP_FOLDER, is_intact
from bot.models.registry import MODELS
from bot.storage import sqlite

# A busy machine is no failure: examples have no deadline, and generating them may be slow.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
    os.environ.pop(variable, None)  # a test that asks for no language gets English, in whatever terminal it runs
os.environ["LANG"] = "C.UTF-8"

SEGMENTER = MODELS["u2netp"]
"""As published; a test may replace it in the registry by a tiny graph."""


WAITING, SHORT = (Path(__file__).parent / name for name in ("faults", "unit"))
"""Tests that mostly wait, for processes to end and for limits; and tests that are over soon."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the files whose tests wait evenly over those that keep the processor busy, and put the short ones last.

    `make test` starts the files in this order, several at a time: so the processor does not idle, and no long file
    remains at the end.
    """
    files: dict[Path, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[item.path].append(item)
    waiting, short = ([path for path in files if folder in path.parents] for folder in (WAITING, SHORT))
    busy = [path for path in files if path not in {*waiting, *short}]
    places = {path: number / len(group) for group in (waiting, busy) for number, path in enumerate(group)}
    places |= {path: 1 + number for number, path in enumerate(short)}
    items[:] = [item for path in sorted(files, key=lambda path: places[path]) for item in files[path]]


GROWING = {
    "edits", "offers", "payments", "people", "person_settings", "quota_uses", "operation_outputs", "workflow_status",
    "works", "earlier",
}  # fmt: skip
"""Tables that grow with use, and other names of `edits` in statements; two tables are DBOS's. `found_objects` is
emptied as edits end."""

RARE = (
    "INSERT INTO operation_outputs_new",  # DBOS makes its tables
    "workflow_status.application_version NOT IN",  # the start, after an upgrade
    "workflow_status.application_version !=",  # the same, by the index of the workflows that are not done
    "UPDATE edits SET chat=",  # a group became a supergroup
    "DELETE FROM quota_uses WHERE quota_uses.at <=",  # every quarter of an hour
    "SELECT coalesce(sum(payments.stars)",  # /stats
    "FROM people WHERE people.last_private >",  # an announcement
    "SELECT people.person, people.last_seen, people.last_private, people.blocked FROM people",  # a test
    "SELECT count(*) FROM edits",  # a test
)
"""Parts of statements that may read a whole table, because they run rarely."""

MAY_SCAN = re.compile(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b", re.IGNORECASE)
SCAN = re.compile(r"SCAN (\w+)( USING)?")
"""A step of SQLite's plan that reads a whole table, or a whole index of it; with a LIMIT the latter ends early."""


@pytest.fixture(scope="session")
def segmenter_folder() -> Path:
    """A models folder with the real learned segmenter that set-up brought. Tests must not write to it.

    A test that uses it is skipped if set-up could not bring the file.
    """
    if not is_intact(SEGMENTER, SETUP_FOLDER / SEGMENTER.file):
        pytest.skip(f"set-up has not brought {SEGMENTER.file} into .models: run `make setup` with a network")
    return SETUP_FOLDER


@pytest.fixture(scope="session", autouse=True)
def quick_chats() -> Iterator[None]:
    """Bots in this process do not hold messages back for Telegram's limits of one chat: a test would wait for seconds.

    Bots in processes of their own (`tests/faults`) do, and the limits are tested in `unit/chat/test_limiter.py`.
    """
    quick = partial(FloodLimiter, per_chat=1000, chat_burst=1000, per_group_minute=60_000)
    with mock.patch.object(wiring, "FloodLimiter", quick):
        yield


@pytest.fixture(scope="session", autouse=True)
def one_event_loop() -> Iterator[None]:
    """Edits of a bot in this process run on its loop, also those that begin between two tests.

    A module's loop stands still between its tests. DBOS would then start an edit on a loop of its own, where no
    connection of the bot works. Outside tests the bot's loop never stands still.
    """
    original = BackgroundEventLoop.target_loop

    def target_loop(background: BackgroundEventLoop) -> asyncio.AbstractEventLoop | None:
        main = background._main_loop
        return original(background) if main is None or main.is_closed() else main

    with mock.patch.object(BackgroundEventLoop, "target_loop", target_loop):
        yield


@pytest.fixture(scope="session")
def full_scans() -> Iterator[list[str]]:
    """The statements of all bots in this process that read a whole growing table, as they are found."""
    found: list[str] = []
    explained: set[str] = set()
    execute = sqlite._Cursor.execute

    def explaining(cursor: Any, sql: str, *parameters: Any) -> Any:
        if sql not in explained and MAY_SCAN.match(sql):
            explained.add(sql)
            explanation = sqlite3.Cursor(cursor.connection)
            with contextlib.closing(explanation):
                steps = [row[3] for row in explanation.execute(f"EXPLAIN QUERY PLAN {sql}", *parameters)]
            scans = [match for step in steps if (match := SCAN.match(step))]
            tables = {scan[1] for scan in scans if not (scan[2] and "LIMIT" in sql)} & GROWING
            if tables and not any(part in " ".join(sql.split()) for part in RARE):
                found.append(f"{', '.join(tables)}: {' '.join(sql.split())}")
        return execute(cursor, sql, *parameters)

    with mock.patch.object(sqlite._Cursor, "execute", explaining):
        yield found


@pytest.fixture(autouse=True)
def no_full_scans(full_scans: list[str]) -> Iterator[None]:
    """Fails the test in which a bot in this process first reads a whole table that grows with use."""
    yield
    found, full_scans[:] = full_scans[:], []
    assert not found, "an index is missing, or a statement belongs to RARE:\n" + "\n".join(found)


@pytest.fixture
def unhurried_chats(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that a test starts holds messages back as it does against Telegram."""
    monkeypatch.setattr(wiring, "FloodLimiter", FloodLimiter)
