"""The life of a process: start what `wiring` builds, wait for SIGTERM, drain and stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import structlog
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot import serving, storage_wiring, wiring
from bot.chat.commands import register_commands
from bot.chat.services import App
from bot.chat.updates.intake import poll, retry_until_success
from bot.edits.history import delete_unwanted_repeatedly
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.retention import sweep, sweep_repeatedly
from bot.errors import OperatorError
from bot.garbage import freeze_startup_objects
from bot.loop_monitor import LoopMonitor
from bot.model_files import fetch_default
from bot.operator_text import OperatorText
from bot.playground.saved_chat import SavedChat
from bot.settings import Settings
from bot.stopping import signals_set
from bot.terminal import show, tr
from bot.texts import Texts

log = structlog.get_logger()

DRAIN_SECONDS = 25.0
"""How long running edits may go on after SIGTERM; those that still run then go on at the next start."""


async def run(settings: Settings, *, stop: asyncio.Event | None = None, say: Callable[[str], None] = print) -> None:
    """Run chat, Mini App and workers until SIGTERM, SIGINT or `stop`. Without a token, run the playground.

    Args:
        settings: All settings.
        stop: A test sets it to end the program.
        say: Prints the playground's address.

    Raises:
        OperatorError: A wrong token, a port in use, an unreachable database, another bot on the same DATA_DIR.
    """
    stop = stop or asyncio.Event()
    address = f"http://{_local_host(settings.host)}:{settings.port}"
    playground: SavedChat | None = None
    public_url = settings.public_url
    with signals_set(stop), storage_wiring.only_bot(settings):
        async with contextlib.AsyncExitStack() as open_longer:
            if settings.telegram_bot_token is None:
                playground = wiring.saved_chat(settings)
                await playground.load()
                await open_longer.enter_async_context(playground.saving())
                settings = settings.model_copy(update={"telegram_api_url": address})
                token, public_url = playground.telegram.token, address
            else:
                token = settings.telegram_bot_token.get_secret_value()
            core = await open_longer.enter_async_context(wiring.open_core(settings, token, _app_url(public_url)))
            front = wiring.build_front(settings, core, token, playground)
            async with (
                serving.serve(settings, front.site),
                serving.serve_metrics(settings, wiring.health(settings, core)),
                _shut_down_at_exit(core.bot),
            ):
                if playground is not None:
                    page = f"{address}/playground"
                    text = OperatorText(
                        "No TELEGRAM_BOT_TOKEN is set, so this is the playground: open {page}", page=page
                    )
                    say(tr(text))
                await retry_until_success(core.bot.initialize, stop)
                if stop.is_set():
                    return
                async with front.application, front.replies, core.queue, _loop_monitored():
                    await _take_updates(settings, core, front, stop)


async def work(settings: Settings, *, stop: asyncio.Event | None = None) -> None:
    """Only take edits from the queue, until SIGTERM, SIGINT or `stop`.

    Raises:
        OperatorError: There is no token, or no shared database.
    """
    if settings.telegram_bot_token is None:
        raise OperatorError(
            "wrong-setting", text=OperatorText("TELEGRAM_BOT_TOKEN: a worker needs the token of the bot")
        )
    if settings.database.startswith("sqlite"):
        text = OperatorText(
            "DATABASE_URL: a worker needs the PostgreSQL that the bot uses; for example "
            "DATABASE_URL=postgresql://bot:secret@db/bot"
        )
        raise OperatorError("wrong-setting", text=text)
    stop = stop or asyncio.Event()
    token = settings.telegram_bot_token.get_secret_value()
    with signals_set(stop):
        async with (
            wiring.open_core(settings, token, _app_url(settings.public_url)) as core,
            serving.serve_metrics(settings, wiring.health(settings, core)),
            _shut_down_at_exit(core.bot),
        ):
            await retry_until_success(core.bot.initialize, stop)
            if stop.is_set():
                return
            async with core.queue, _loop_monitored():
                log.info("working", executor=core.queue.executor, workers=settings.workers)
                async with _background(*_upkeep(settings, core, takes_updates=False)) as tasks:
                    await _wait(stop, tasks)
                    await _drain(core, _drain_deadline())


async def sweep_once(settings: Settings, *, dry_run: bool) -> None:
    """Delete what is older than RETENTION_HOURS, or only count it, and print the counts."""
    async with storage_wiring.open_database(settings) as database:
        store = Store(database, EditLimits())
        swept = await sweep(store, storage_wiring.caches(settings), settings.retention_hours, dry_run=dry_run)
    counts = tr(", ").join(f"{count} {tr(name.replace('_', ' '))}" for name, count in swept.items())
    show(tr(OperatorText("{counts} would be deleted" if dry_run else "{counts} deleted", counts=counts)))


async def _take_updates(settings: Settings, core: wiring.Core, front: wiring.Front, stop: asyncio.Event) -> None:
    """Take updates until `stop`, then let running edits end."""
    log.info("ready", bot=core.bot.username, updates=settings.telegram_updates, port=settings.port)
    async with _background(
        asyncio.create_task(core.edits.run()),
        asyncio.create_task(core.deletions.run()),
        asyncio.create_task(core.store.bans.watch()),
        asyncio.create_task(core.store.people.run()),
        asyncio.create_task(front.announcements.run()),
        asyncio.create_task(front.payments.run()),
        *_upkeep(settings, core, takes_updates=True),
        asyncio.create_task(_register_commands(settings, front.application)),
    ) as tasks:
        if settings.telegram_updates == "webhook":
            assert settings.public_url is not None
            url = settings.public_url
            front.webhook.is_open = True
            await retry_until_success(lambda: front.webhook.register(url), stop)
            await _wait(stop, tasks)
            deadline = _drain_deadline()
        else:
            polling = asyncio.create_task(poll(front.application, front.intake, stop))
            await _wait(stop, [*tasks, polling])
            deadline = _drain_deadline()
            await polling
        front.webhook.is_open = False
        log.info("draining", running=len(core.queue.running))
        drained = await _drain(core, deadline)
        log.info("stopped", handed_back=0 if drained else len(core.queue.running))


def _upkeep(settings: Settings, core: wiring.Core, *, takes_updates: bool) -> list[asyncio.Task[None]]:
    """Background tasks of every process that works on edits: fetch models, measure DATA_DIR, delete old copies."""
    caches = (core.photos, core.results)
    return [
        asyncio.create_task(fetch_default(settings)),
        asyncio.create_task(core.folder.watch(core.database.reusable_bytes)),
        asyncio.create_task(sweep_repeatedly(core.store, caches, settings.retention_hours)),
        asyncio.create_task(
            delete_unwanted_repeatedly(core.store, caches, core.queue.running, with_rows=takes_updates)
        ),
    ]


def _drain_deadline() -> float:
    """When running edits are left to the next start, if the stop begins now (event loop time)."""
    return asyncio.get_running_loop().time() + DRAIN_SECONDS


async def _drain(core: wiring.Core, deadline: float) -> bool:
    """Take no more edits and wait for the running ones; returns whether all of them ended in time."""
    core.queue.stop_accepting()
    return await core.queue.drain(max(0.0, deadline - asyncio.get_running_loop().time()))


async def _wait(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Wait for `stop`. A task that fails before ends the program with its error."""
    stopping = asyncio.create_task(stop.wait())
    unfinished = set(tasks)
    while not stopping.done():
        done, _ = await asyncio.wait({stopping, *unfinished}, return_when=asyncio.FIRST_COMPLETED)
        for task in done & unfinished:
            unfinished.discard(task)
            task.result()


async def _register_commands(settings: Settings, application: App) -> None:
    """Register the commands with Telegram. The bot works without them, so a failure is only logged."""
    try:
        texts, sells = Texts(settings.language), bool(settings.stars_packs)
        await register_commands(application.bot, texts, settings.language, settings.admins, sells=sells)
    except TelegramError as error:
        log.warning("commands_not_registered", reason=type(error).__name__)
    except Exception:
        log.exception("commands_not_registered")


@contextlib.asynccontextmanager
async def _background(*tasks: asyncio.Task[None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Cancel tasks at the end of the block."""
    try:
        yield list(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def _shut_down_at_exit(bot: ExtBot[None]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await bot.shutdown()


@contextlib.asynccontextmanager
async def _loop_monitored() -> AsyncIterator[None]:
    """Watch the event loop from the end of the start on; log its longest pause at the end."""
    freeze_startup_objects()
    monitor = LoopMonitor()
    try:
        async with monitor.running():
            yield
    finally:
        log.info("loop_paused", longest=round(monitor.longest, 3), longest_own=round(monitor.longest_own, 3))


def _local_host(host: str) -> str:
    """The host under which this machine reaches a server that listens on `host`."""
    if host in ("0.0.0.0", ""):  # noqa: S104 -- compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _app_url(public_url: str | None) -> str | None:
    """Address of the Mini App's page."""
    return f"{public_url}/app" if public_url else None
