"""Builds the whole program from the settings. Reads as a table of contents: what there is, and who is handed what."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import web
from telegram.ext import ExtBot

from bot import engine_wiring
from bot.chat.courier import TelegramCourier
from bot.chat.keyboards import Keyboards
from bot.chat.texts import Texts
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
from bot.engines.volcengine import CallSlots, LocalCallSlots
from bot.engines.volcengine.notices import OnOperatorError
from bot.errors import OperatorError
from bot.imaging.pool import PixelPool
from bot.settings import Settings
from bot.storage.call_slots import SharedCallSlots
from bot.storage.database import Database
from bot.storage.file_cache import FileCache
from bot.storage.rate_limits import SharedRateLimiter

CACHE_SHARE = 1_000_000_000
"""Bytes for each of the two caches, downloaded photos and finished results."""


@dataclass(slots=True)
class Core:
    """The edits and what they stand on; shared by the bot, the workers and the tests.

    Attributes:
        store: What is remembered.
        queue: Who sees edits through.
        edits: The door for chat and Mini App.
        choices: Lets a person correct a wrong find.
        canvas: What the Mini App may ask for.
        courier: Who carries photos and words.
        photos: Cache of downloaded photos.
        results: Cache of finished pictures.
    """

    store: Store
    queue: EditQueue
    edits: Edits
    choices: Choices
    canvas: Canvas
    courier: TelegramCourier
    photos: FileCache
    results: FileCache


@contextlib.asynccontextmanager
async def engines(
    settings: Settings,
    pool: PixelPool,
    call_slots: CallSlots,
    on_operator_error: OnOperatorError | None = None,
) -> AsyncIterator[Sequence[Engine]]:
    """Who segments and inpaints, each the fallback of the one before; an edit's place in line is noted in the store."""
    async with engine_wiring.engines(
        settings, pool, call_slots, on_operator_error=on_operator_error, on_position=report_queue_position
    ) as ladder:
        yield ladder


def caches(settings: Settings) -> tuple[FileCache, FileCache]:
    """Downloaded photos, finished results."""
    folder = settings.data_dir / "cache"
    return (
        FileCache(folder / "photos", max_bytes=CACHE_SHARE),
        FileCache(folder / "results", max_bytes=CACHE_SHARE),
    )


def build_core(
    settings: Settings,
    database: Database,
    ladder: Sequence[Engine],
    pool: PixelPool,
    bot: ExtBot[None],
    app_url: str | None,
) -> Core:
    """The edits, from the store up to their door."""
    texts = Texts(settings.language)
    courier = TelegramCourier(bot, texts, Keyboards(texts, app_url, lambda: bot.username))
    store = Store(database, EditLimits(settings.pending_per_user, settings.edits_per_day))
    announcer = Announcer(store, courier, alone=database.is_sqlite)
    photos, results = caches(settings)
    models = settings.data_dir / "models"
    editor = Editor(ladder, pool, max_megapixels=settings.max_megapixels, models=models)
    files = EditFiles(courier, photos, results, max_file_bytes=int(settings.max_file_mb * 1e6))
    steps = EditSteps(store=store, editor=editor, courier=courier, announcer=announcer, files=files)
    queue = EditQueue(database, steps, workers=settings.workers)
    edits = Edits(store, queue, courier, announcer, (photos, results))
    choices = Choices(store, edits, courier)
    canvas = Canvas(store, edits, files, pool, max_megapixels=settings.max_megapixels, models=models)
    return Core(store, queue, edits, choices, canvas, courier, photos, results)


@contextlib.asynccontextmanager
async def web_server(settings: Settings, app: web.Application) -> AsyncIterator[None]:
    """Serve `app` on HOST:PORT."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=5.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as error:
            advice = f"PORT: {settings.host}:{settings.port} cannot be listened on ({error.strerror}); try PORT=8081"
            raise OperatorError("wrong-setting", text=advice) from None
        yield
    finally:
        await runner.cleanup()


def webhook_secret(settings: Settings, token: str) -> str:
    """What Telegram proves itself with to the webhook."""
    if settings.telegram_webhook_secret is not None:
        return settings.telegram_webhook_secret.get_secret_value()
    return hmac.new(token.encode(), b"webhook", hashlib.sha256).hexdigest()


@contextlib.asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The database, its tables up to date."""
    opened = Database(settings.database)
    try:
        await opened.start()
        yield opened
    finally:
        await opened.close()


def call_slots(settings: Settings, database: Database) -> CallSlots:
    """What limits the calls to the cloud, over all processes on the database."""
    if database.is_sqlite:
        return LocalCallSlots(settings.volc_concurrency)
    return SharedCallSlots(database, settings.volc_concurrency)


def shared_limits(database: Database) -> SharedRateLimiter | None:
    """What keeps several processes together within Telegram's limits; one alone needs nothing."""
    return None if database.is_sqlite else SharedRateLimiter(database)
