"""As the bot grows: beside many edits that wait, beside a million old ones, and with more edits at a time.

A newcomer's first word, processor time and memory of the bot beside 50, 2,000 and 20,000 edits that wait, each of
another person, and beside 50 with a million edits that have ended and as many photos without a command. Two edits run
at a time, of one second each; their engine does nothing. Two limits are lifted here: Telegram's 30 messages a second,
with which 20,000 people could not be told within ten minutes that they wait, and the queue's own (`EditLimits.pending`,
5,000 edits; a photo beyond it gets "busy" and a button). The stand-in for Telegram computes on the same machine.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.edits.model import State
from bot.playground import TelegramServer
from bot.playground.person import Upload
from bot.storage.tables import edits
from tests.benchmarks._old_rows import add_old_edits
from tests.benchmarks._processes import megabytes, processor_seconds
from tests.faults.bots import BotProcess, bare_environment
from tests.faults.postgres import PostgresServer, programs
from tests.support import Talk, encoded, free_port, scene

WAITING = (50, 2_000, 20_000)
OLD_EDITS = 1_000_000
NEWCOMERS, PACE_SECONDS = 20, 1.0
UNANSWERED = 50
"""Photos on their way to the bot at a time, while the queue is filled."""

PHOTOS, WARM_UP, ENGINE_SECONDS = 200, 10, 0.05
MODULE = "tests.benchmarks._bare_bot"


@dataclass(slots=True)
class Crowd:
    """People who send one photo each, and the bot that they send it to."""

    server: TelegramServer
    settings: dict[str, str]
    content: dict[str, Any]
    sent: int = 0
    bot: BotProcess = field(init=False)

    def __post_init__(self) -> None:
        self.bot = BotProcess(self.server.telegram, self.settings, module=MODULE)

    @property
    def address(self) -> str:
        """SQLAlchemy's address of the database."""
        url = self.settings.get("DATABASE_URL", f"sqlite:///{self.settings['DATA_DIR']}/bot.sqlite")
        return url.replace("postgresql://", "postgresql+psycopg://")

    def newcomer(self, *, caption: str = "/remove_subject") -> Talk:
        """Another person sends a photo."""
        self.sent += 1
        talk = Talk(self.server.telegram, self.sent)
        talk.person._send({**self.content, **({"caption": caption} if caption else {})}, None, None)
        return talk

    async def fill(self, count: int) -> None:
        """Send photos until this number of them waits."""
        calls, wait_until = self.server.telegram.calls, self.server.telegram.events.wait_until
        while (missing := count - int(await self.bot.number("bot_queue_waiting"))) > 0:
            words = calls["sendMessage"]
            for number in range(1, missing + 1):
                self.newcomer()
                heard = words + number - UNANSWERED
                await wait_until(lambda heard=heard: calls["sendMessage"] >= heard, seconds=600)
            await wait_until(lambda heard=words + missing: calls["sendMessage"] >= heard, seconds=600)
        await asyncio.to_thread(self._wait_until_enqueued)

    def _wait_until_enqueued(self) -> None:
        """Wait until all edits that wait are in DBOS's queue: the status message comes first, and is quicker."""
        engine = sa.create_engine(self.address)
        missing = sa.select(sa.func.count()).where(edits.c.state == State.QUEUED, edits.c.enqueued.is_(False))
        while True:
            with engine.connect() as connection:
                if connection.execute(missing).scalar_one() == 0:
                    break
            time.sleep(1)  # another process: there is no event to wait for
        engine.dispose()

    async def row(self, title: str, ready: str = "") -> str:
        """Measure newcomers, one after another; every other one sends no command and gets a question."""
        telegram, loop = self.server.telegram, asyncio.get_running_loop()
        session = self.bot.process_id
        begun, computed = loop.time(), processor_seconds(session)
        waits: list[list[float]] = [[], []]
        for turn in range(NEWCOMERS):
            await asyncio.sleep(max(0.0, begun + turn * PACE_SECONDS - loop.time()))  # the pace that is measured
            sent = time.perf_counter()
            talk = self.newcomer(caption="" if turn % 2 else "/remove_subject")
            await telegram.events.wait_until(lambda talk=talk: bool(talk.person.answers), seconds=120)
            waits[turn % 2].append(time.perf_counter() - sent)
        percent = 100 * (processor_seconds(session) - computed) / (loop.time() - begun)
        waiting = await self.bot.number("bot_queue_waiting")
        words = " | ".join(f"{np.median(wait) * 1000:.0f} / {max(wait) * 1000:.0f} ms" for wait in waits)
        return f"| {title} | {waiting:.0f} | {words} | {percent:.0f} % | {megabytes(session):.0f} MB | {ready} |"


@asynccontextmanager
async def _crowd(folder: Path, url: str, **changes: Any) -> AsyncIterator[Crowd]:
    """The stand-in for Telegram, and the settings of a bot with a database of its own: PostgreSQL's, or a file."""
    async with TelegramServer() as server:
        database = {"DATABASE_URL": url} if url else {}
        settings = bare_environment(server, folder, DATA_MAX_MB=100_000, **{**database, **changes})
        content = await Talk(server.telegram, 2**40).person._content(Upload(encoded(scene(160, 120))))
        yield Crowd(server, settings, content)


async def _grow(name: str, folder: Path, url: str) -> AsyncIterator[str]:
    """The rows of one database."""
    timing = {"WORKERS": 2, "BENCH_ENGINE_SECONDS": 1}
    async with _crowd(folder / "waiting", url, **timing) as crowd, _killed(crowd.bot):
        await crowd.bot.start()
        for count in WAITING:
            await crowd.fill(count)
            yield await crowd.row(name)
        await crowd.bot.terminate()
        begun = time.perf_counter()
        await crowd.bot.start()
        ready = time.perf_counter() - begun
        yield await crowd.row(f"{name}, started again", f"{ready:.1f} s")


async def _grow_old(name: str, folder: Path, url: str) -> str:
    """The row of one database with old edits."""
    timing = {"WORKERS": 2, "BENCH_ENGINE_SECONDS": 1}
    async with _crowd(folder / "old", url, **timing) as crowd, _killed(crowd.bot):
        await crowd.bot.start()
        talk = crowd.newcomer()
        await talk.telegram.events.wait_until(lambda: any("photo" in a for a in talk.person.answers), seconds=60)
        talk = crowd.newcomer(caption="")
        await talk.telegram.events.wait_until(lambda: bool(talk.person.answers), seconds=60)
        await crowd.bot.terminate()
        await asyncio.to_thread(add_old_edits, crowd.address, OLD_EDITS)
        begun = time.perf_counter()
        await crowd.bot.start()
        ready = time.perf_counter() - begun
        await crowd.fill(WAITING[0])
        return await crowd.row(f"{name}, {OLD_EDITS:,} old edits", f"{ready:.1f} s")


async def _edits_a_second(folder: Path, url: str, *, workers: int, processes: int) -> float:
    """Photos of one person each, sent at once.

    Args:
        folder: An empty folder.
        url: PostgreSQL's address; empty: a file.
        workers: Edits at a time in each process.
        processes: Processes that edit; the first one is the bot.
    """
    timing = {"WORKERS": workers, "BENCH_ENGINE_SECONDS": ENGINE_SECONDS}
    async with AsyncExitStack() as stack:
        crowd = await stack.enter_async_context(_crowd(folder / "bot", url, **timing))
        telegram = crowd.server.telegram
        await stack.enter_async_context(_killed(crowd.bot))
        await crowd.bot.start()
        for number in range(1, processes):
            settings = crowd.settings | {"DATA_DIR": str(folder / f"worker{number}"), "PORT": str(free_port())}
            worker = BotProcess(telegram, settings, command="worker", module=MODULE)
            await stack.enter_async_context(_killed(worker))
            await worker.start(wait=False)
            await worker.says("working")
        for _ in range(WARM_UP):
            crowd.newcomer()
        await telegram.events.wait_until(lambda: telegram.calls["editMessageMedia"] >= WARM_UP, seconds=120)
        begun = time.perf_counter()
        for _ in range(PHOTOS):
            crowd.newcomer()
        await telegram.events.wait_until(lambda: telegram.calls["editMessageMedia"] >= WARM_UP + PHOTOS, seconds=600)
        return PHOTOS / (time.perf_counter() - begun)


@asynccontextmanager
async def _killed(bot: BotProcess) -> AsyncIterator[None]:
    """Kill a process at the end of the block."""
    try:
        yield
    finally:
        await bot.kill()


async def measure() -> list[str]:
    """The tables' lines."""
    rows = [
        "| database | waiting | first word, median / longest | question | of one core | memory | ready after |",
        "|---|---|---|---|---|---|---|",
    ]
    speeds = ["| edits a second | 1 | 2 | 4 |", "|---|---|---|---|"]
    async with _postgres() as new_database:
        for name in ("SQLite", "PostgreSQL") if new_database else ("SQLite",):

            def url(name: str = name) -> str:
                return new_database() if new_database and name == "PostgreSQL" else ""

            with tempfile.TemporaryDirectory() as folder:
                rows += [row async for row in _grow(name, Path(folder), url())]
                rows.append(await _grow_old(name, Path(folder), url()))
            for title, is_processes in _speed_titles(name):
                figures = []
                for count in (1, 2, 4):
                    with tempfile.TemporaryDirectory() as folder:
                        numbers = (2, count) if is_processes else (count, 1)
                        figures.append(
                            await _edits_a_second(Path(folder), url(), workers=numbers[0], processes=numbers[1])
                        )
                speeds.append(f"| {title} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")
    missing = [] if new_database else ["", "No PostgreSQL on this machine: apt-get install postgresql"]
    return [*rows, "", *speeds, *missing]


def _speed_titles(name: str) -> list[tuple[str, bool]]:
    """The rows of the second table, and whether processes are counted."""
    titles = [(f"{name}, one process, edits at a time", False)]
    return titles if name == "SQLite" else [*titles, (f"{name}, processes of two edits at a time", True)]


@asynccontextmanager
async def _postgres() -> AsyncIterator[Callable[[], str] | None]:
    """Makes empty databases; None where there is no PostgreSQL."""
    if programs() is None:
        yield None
        return
    postgres = PostgresServer()
    await asyncio.to_thread(postgres.create)
    await postgres.start()
    try:
        yield postgres.new_database
    finally:
        await postgres.stop()
        postgres.remove()


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
