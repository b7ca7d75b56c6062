"""Builds the whole program from the settings: a table of contents of what there is, and of what each part is given.

`process` starts what is built here, waits, and stops it. `engine_wiring` builds the part that an edit on the command
line needs, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import web
from telegram.ext import ExtBot

from bot import engine_wiring
from bot.chat.api.flood_limiter import FloodLimiter
from bot.chat.api.message_ids import MessageIds
from bot.chat.application import make_application, make_bot
from bot.chat.courier import TelegramCourier
from bot.chat.intake import Intake
from bot.chat.keyboards import Keyboards
from bot.chat.notices import tell_admins
from bot.chat.replies import Replies
from bot.chat.services import App, ChatServices
from bot.chat.webhook import PATH, Webhook
from bot.edits.announcer import Announcer
from bot.edits.canvas import Canvas
from bot.edits.choices import Choices
from bot.edits.editor import Editor
from bot.edits.files import EditFiles
from bot.edits.progress import report_queue_position
from bot.edits.queue import EditQueue
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.service import Edits
from bot.edits.steps import EditSteps
from bot.engines import Engine
from bot.engines.volcengine import CallSlots, LocalCallSlots, OperatorNotice
from bot.engines.volcengine.notices import OnOperatorError
from bot.errors import OperatorError
from bot.imaging.pool import PixelPool
from bot.playground import Telegram, add_playground
from bot.settings import Settings
from bot.storage.call_slots import SharedCallSlots
from bot.storage.database import Database
from bot.storage.file_cache import FileCache
from bot.storage.rate_limits import SharedRateLimiter
from bot.texts import Texts
from webapp.application import add_mini_app

CACHE_BYTES = 1_000_000_000
"""Size of each of the two caches: downloaded photos and finished results."""


@dataclass(slots=True)
class Core:
    """What works on edits: all of a worker, and the larger part of the bot.

    Attributes:
        bot: The Bot API.
        limiter: Its flood limits.
        store: Edits in the database.
        queue: Runs edits.
        edits: Submits and changes edits, for the chat and the Mini App.
        choices: Corrects a wrong find.
        canvas: What the Mini App can do.
        photos: Cache of downloaded photos.
        results: Cache of finished pictures.
    """

    bot: ExtBot[None]
    limiter: FloodLimiter
    store: Store
    queue: EditQueue
    edits: Edits
    choices: Choices
    canvas: Canvas
    photos: FileCache
    results: FileCache


@dataclass(slots=True)
class Front:
    """What receives updates and HTTP requests, on top of `Core`.

    Attributes:
        application: The handlers.
        replies: Sends replies; enter it before updates come.
        intake: Passes updates to the handlers.
        webhook: Receives updates by HTTP.
        site: The web server's routes.
    """

    application: App
    replies: Replies
    intake: Intake
    webhook: Webhook
    site: web.Application


@contextlib.asynccontextmanager
async def open_core(settings: Settings, token: str, app_url: str | None) -> AsyncIterator[Core]:
    """Open everything that works on edits: pixel processes, database, Bot API client, engines.

    Args:
        settings: All settings.
        token: The bot's token; in the playground not the one of the settings.
        app_url: Address of the Mini App's page; None: there is none.
    """
    message_ids = MessageIds()
    engine_wiring.log_memory_plan(settings)
    async with (
        engine_wiring.pixel_pool(settings, settings.workers) as pool,
        open_database(settings) as database,
    ):
        limiter = FloodLimiter(shared_limits=shared_rate_limiter(database), message_ids=message_ids)
        bot = make_bot(token, settings.telegram_api_url, limiter)

        async def notify_admins(notice: OperatorNotice) -> None:
            await tell_admins(bot, settings.admins, str(notice))

        async with engines(settings, pool, call_slots(settings, database), notify_admins) as ladder:
            texts = Texts(settings.language)
            courier = TelegramCourier(bot, message_ids, texts, Keyboards(texts, app_url, lambda: bot.username))
            store = Store(database, EditLimits(settings.pending_per_user, settings.edits_per_day))
            announcer = Announcer(store, courier, alone=database.is_sqlite)
            photos, results = caches(settings)
            editor = Editor(ladder, pool, max_megapixels=settings.max_megapixels, models=settings.models_folder)
            files = EditFiles(courier, photos, results, max_file_bytes=int(settings.max_file_mb * 1e6))
            steps = EditSteps(store=store, editor=editor, courier=courier, announcer=announcer, files=files)
            queue = EditQueue(database, steps, workers=settings.workers)
            edits = Edits(store, queue, courier, announcer, (photos, results))
            choices = Choices(store, edits, courier)
            canvas = Canvas(
                store, edits, files, pool, max_megapixels=settings.max_megapixels, models=settings.models_folder
            )
            yield Core(bot, limiter, store, queue, edits, choices, canvas, photos, results)


def build_front(settings: Settings, core: Core, token: str, playground: Telegram | None) -> Front:
    """Build the chat's handlers and the web server's routes.

    Args:
        settings: All settings.
        core: Works on the edits.
        token: The bot's token.
        playground: The stand-in for Telegram, if the bot runs without Telegram.
    """
    texts = Texts(settings.language)
    replies = Replies(core.limiter.delay)
    services = ChatServices(
        edits=core.edits,
        choices=core.choices,
        texts=texts,
        allowed_users=settings.allowed_users,
        max_file_bytes=int(settings.max_file_mb * 1e6),
        retention_hours=settings.retention_hours,
        replies=replies,
    )
    application = make_application(core.bot, services)
    intake = Intake(application, services)
    webhook = Webhook(application, intake, webhook_secret(settings, token))
    site = web.Application()
    add_mini_app(
        site,
        core.canvas,
        texts,
        bot_token=token,
        telegram_script="/playground/telegram-web-app.js" if playground is not None else None,
        ready=core.queue.is_ready,
    )
    if playground is not None:
        add_playground(site, playground)
    if settings.telegram_updates == "webhook":
        site.router.add_post(PATH, webhook.receive)
    return Front(application, replies, intake, webhook, site)


@contextlib.asynccontextmanager
async def engines(
    settings: Settings,
    pool: PixelPool,
    slots: CallSlots,
    on_operator_error: OnOperatorError | None = None,
) -> AsyncIterator[Sequence[Engine]]:
    """The engines, each the fallback of the one before; positions in the cloud's queue are reported to the edits."""
    async with engine_wiring.engines(
        settings, pool, slots, on_operator_error=on_operator_error, on_position=report_queue_position
    ) as ladder:
        yield ladder


def caches(settings: Settings) -> tuple[FileCache, FileCache]:
    """The caches of downloaded photos and of finished results."""
    folder = settings.data_dir / "cache"
    return (
        FileCache(folder / "photos", max_bytes=CACHE_BYTES),
        FileCache(folder / "results", max_bytes=CACHE_BYTES),
    )


@contextlib.asynccontextmanager
async def serve(settings: Settings, site: web.Application) -> AsyncIterator[None]:
    """Serve `site` on HOST:PORT.

    Raises:
        OperatorError: The address cannot be used.
    """
    runner = web.AppRunner(site, access_log=None, handle_signals=False, shutdown_timeout=5.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as error:
            advice = f"PORT: cannot listen on {settings.host}:{settings.port} ({error.strerror}); try PORT=8081"
            raise OperatorError("wrong-setting", text=advice) from None
        yield
    finally:
        await runner.cleanup()


def webhook_secret(settings: Settings, token: str) -> str:
    """The secret token of the webhook: TELEGRAM_WEBHOOK_SECRET, else derived from the bot's token."""
    if settings.telegram_webhook_secret is not None:
        return settings.telegram_webhook_secret.get_secret_value()
    return hmac.new(token.encode(), b"webhook", hashlib.sha256).hexdigest()


@contextlib.asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database, its tables migrated to the current version."""
    database = Database(settings.database)
    try:
        await database.start()
        yield database
    finally:
        await database.close()


def call_slots(settings: Settings, database: Database) -> CallSlots:
    """Limits concurrent calls to the cloud; over all processes if they share a database."""
    if database.is_sqlite:
        return LocalCallSlots(settings.volc_concurrency)
    return SharedCallSlots(database, settings.volc_concurrency)


def shared_rate_limiter(database: Database) -> SharedRateLimiter | None:
    """Shares Telegram's flood limits among processes; None with SQLite, which only one process uses."""
    return None if database.is_sqlite else SharedRateLimiter(database)
