"""The life of a process: `run` (chat, Mini App and workers in one), from start to the last word after SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Iterator

import structlog
from aiohttp import web

from bot import engine_wiring, wiring
from bot.chat import commands
from bot.chat.application import make_application, make_bot
from bot.chat.intake import Intake, call_until_done, poll
from bot.chat.keyboards import Keyboards
from bot.chat.notices import tell_admins
from bot.chat.services import App, ChatServices
from bot.chat.texts import Texts
from bot.chat.webhook import PATH, Webhook
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.retention import sweep, sweep_repeatedly
from bot.engines.volcengine import OperatorNotice
from bot.errors import OperatorError
from bot.model_files import fetch_default
from bot.playground import Telegram, add_playground
from bot.pulse import Pulse, settle
from bot.settings import Settings
from webapp.application import add_mini_app

log = structlog.get_logger()

DRAIN_SECONDS = 25.0
"""How long running edits may go on after SIGTERM; what then still runs goes on at the next start."""


async def run(settings: Settings, *, stop: asyncio.Event | None = None, say: Callable[[str], None] = print) -> None:
    """Run the bot until SIGTERM, SIGINT or `stop`.

    Args:
        settings: All settings.
        stop: Set by a test to end it.
        say: Tells the person at the terminal where to look.

    Raises:
        OperatorError: A wrong token, a port in use, a database that is not there.
    """
    stop = stop or asyncio.Event()
    with _signals(stop):
        if settings.telegram_bot_token is None:
            telegram = Telegram()
            local = f"http://{_reachable(settings.host)}:{settings.port}"
            settings = settings.model_copy(update={"telegram_api_url": local})
            await _run(settings, telegram.token, stop, say, telegram=telegram)
        else:
            await _run(settings, settings.telegram_bot_token.get_secret_value(), stop, say, telegram=None)


async def _run(
    settings: Settings, token: str, stop: asyncio.Event, say: Callable[[str], None], *, telegram: Telegram | None
) -> None:
    web_address = f"http://{_reachable(settings.host)}:{settings.port}"
    public = web_address if telegram is not None else settings.public_url
    app_url = f"{public}/app" if public else None
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(engine_wiring.pixel_pool(settings, settings.workers))
        database = await stack.enter_async_context(wiring.database(settings))
        bot = make_bot(token, settings.telegram_api_url, wiring.shared_limits(database))

        async def tell(notice: OperatorNotice) -> None:
            await tell_admins(bot, settings.admins, str(notice))

        ladder = await stack.enter_async_context(
            wiring.engines(settings, pool, wiring.call_slots(settings, database), tell)
        )
        core = wiring.build_core(settings, database, ladder, pool, bot, app_url)
        services = ChatServices(
            edits=core.edits,
            choices=core.choices,
            texts=Texts(settings.language),
            keyboards=Keyboards(Texts(settings.language), app_url),
            allowed_users=settings.allowed_users,
            max_file_bytes=int(settings.max_file_mb * 1e6),
            retention_hours=settings.retention_hours,
        )
        application = make_application(bot, services)
        inlet = Intake(application, services)
        webhook = Webhook(application, inlet, wiring.webhook_secret(settings, token))
        site = web.Application()
        add_mini_app(
            site,
            core.canvas,
            bot_token=token,
            telegram_script="/playground/telegram-web-app.js" if telegram else None,
            ready=core.queue.is_ready,
            explain=Texts(settings.language).error,
        )
        if telegram is not None:
            add_playground(site, telegram)
        if settings.telegram_updates == "webhook":
            site.router.add_post(PATH, webhook.take)
        await stack.enter_async_context(wiring.web_server(settings, site))
        if telegram is not None:
            say(f"No TELEGRAM_BOT_TOKEN is set, so this is the playground: open {web_address}/playground")

        await call_until_done(bot.initialize, stop)
        await stack.enter_async_context(_initialized(application))
        await stack.enter_async_context(core.queue)
        await stack.enter_async_context(_pulse())
        await _live(settings, core, application, inlet, webhook, stop)


async def _live(
    settings: Settings, core: wiring.Core, application: App, inlet: Intake, webhook: Webhook, stop: asyncio.Event
) -> None:
    """Take updates until `stop`, then let running edits end."""
    background = [
        asyncio.create_task(core.edits.run()),
        *_chores(settings, core),
        asyncio.create_task(_introduce(settings, application)),
    ]
    log.info("ready", bot=application.bot.username, updates=settings.telegram_updates, port=settings.port)
    try:
        if settings.telegram_updates == "webhook":
            assert settings.public_url is not None
            url = settings.public_url
            webhook.taking = True
            await call_until_done(lambda: webhook.register(url), stop)
            await _until(stop, background)
        else:
            polling = asyncio.create_task(poll(application, inlet, stop))
            await _until(stop, [*background, polling])
            await polling
        webhook.taking = False
        log.info("draining", running=len(core.queue.running))
        core.queue.stop_accepting()
        drained = await core.queue.drain(DRAIN_SECONDS)
        log.info("stopped", handed_back=0 if drained else len(core.queue.running))
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)


def _chores(settings: Settings, core: wiring.Core) -> list[asyncio.Task[None]]:
    """What every process that works on edits does beside: its models are fetched, its copies go when they are old."""
    return [
        asyncio.create_task(fetch_default(settings)),
        asyncio.create_task(sweep_repeatedly(core.store, (core.photos, core.results), settings.retention_hours)),
    ]


async def _until(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Wait for `stop`; a task that breaks before ends everything with its error."""
    stopping = asyncio.create_task(stop.wait())
    unfinished = set(tasks)
    while not stopping.done():
        done, _ = await asyncio.wait({stopping, *unfinished}, return_when=asyncio.FIRST_COMPLETED)
        for task in done & unfinished:
            unfinished.discard(task)
            task.result()


async def _introduce(settings: Settings, application: App) -> None:
    """Tell Telegram the commands; a bot works without, so trouble here is only logged."""
    try:
        await commands.register(application.bot, Texts(settings.language), settings.language)
    except Exception:
        log.exception("commands_not_registered")


@contextlib.asynccontextmanager
async def _initialized(application: App) -> AsyncIterator[None]:
    await application.initialize()
    try:
        yield
    finally:
        await application.shutdown()


@contextlib.asynccontextmanager
async def _pulse() -> AsyncIterator[None]:
    """Watch the loop, now that everything has started; at the end tell the longest pause."""
    settle()
    pulse = Pulse()
    try:
        async with pulse.beating():
            yield
    finally:
        log.info("loop_paused", longest=round(pulse.longest, 3), longest_own=round(pulse.longest_own, 3))


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set `stop`."""
    loop = asyncio.get_running_loop()
    caught = (signal.SIGTERM, signal.SIGINT)
    for number in caught:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def _reachable(host: str) -> str:
    """The address under which this machine reaches a server that listens on `host`."""
    if host in ("0.0.0.0", ""):  # noqa: S104 -- compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


async def work(settings: Settings, *, stop: asyncio.Event | None = None) -> None:
    """Only take edits from the queue, until SIGTERM, SIGINT or `stop`.

    Raises:
        OperatorError: There is no token, or no database to share.
    """
    if settings.telegram_bot_token is None:
        raise OperatorError("wrong-setting", text="TELEGRAM_BOT_TOKEN: a worker needs the bot's token")
    if settings.database.startswith("sqlite"):
        text = "DATABASE_URL: a worker needs the PostgreSQL that the bot uses, such as postgresql://bot:secret@db/bot"
        raise OperatorError("wrong-setting", text=text)
    stop = stop or asyncio.Event()
    token = settings.telegram_bot_token.get_secret_value()
    with _signals(stop):
        async with contextlib.AsyncExitStack() as stack:
            pool = await stack.enter_async_context(engine_wiring.pixel_pool(settings, settings.workers))
            database = await stack.enter_async_context(wiring.database(settings))
            bot = make_bot(token, settings.telegram_api_url, wiring.shared_limits(database))

            async def tell(notice: OperatorNotice) -> None:
                await tell_admins(bot, settings.admins, str(notice))

            call_slots = wiring.call_slots(settings, database)
            ladder = await stack.enter_async_context(wiring.engines(settings, pool, call_slots, tell))
            app_url = f"{settings.public_url}/app" if settings.public_url else None
            core = wiring.build_core(settings, database, ladder, pool, bot, app_url)
            await call_until_done(bot.initialize, stop)
            stack.push_async_callback(bot.shutdown)
            await stack.enter_async_context(core.queue)
            await stack.enter_async_context(_pulse())
            log.info("working", executor=core.queue.executor, workers=settings.workers)
            chores = _chores(settings, core)
            try:
                await _until(stop, chores)
                core.queue.stop_accepting()
                await core.queue.drain(DRAIN_SECONDS)
            finally:
                for task in chores:
                    task.cancel()
                await asyncio.gather(*chores, return_exceptions=True)


async def sweep_once(settings: Settings, *, dry_run: bool) -> int:
    """Delete what is older than RETENTION_HOURS, or count it; returns the exit code."""
    async with wiring.database(settings) as database:
        store = Store(database, EditLimits())
        swept = await sweep(store, wiring.caches(settings), settings.retention_hours, dry_run=dry_run)
    verb = "would be deleted" if dry_run else "deleted"
    print(", ".join(f"{count} {name}" for name, count in swept.items()), verb)
    return 0
