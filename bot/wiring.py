"""Builds the whole program from the settings. Reads as a table of contents: what there is, and who is handed what."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import web
from telegram.ext import ExtBot

from bot.chat.courier import TelegramCourier
from bot.chat.keyboards import Keyboards
from bot.chat.texts import Texts
from bot.edits.announcer import Announcer
from bot.edits.bounds import Bounds
from bot.edits.cache import FileCache
from bot.edits.canvas import Canvas
from bot.edits.choices import Choices
from bot.edits.database import Database
from bot.edits.editor import Editor
from bot.edits.gate import DatabaseGate
from bot.edits.pace import SharedPace
from bot.edits.progress import note_place_in_line
from bot.edits.queue import EditQueue
from bot.edits.service import Edits
from bot.edits.steps import EditSteps
from bot.edits.store import Store
from bot.engines import Engine
from bot.engines.local import local_engine
from bot.engines.volcengine import Gate, LocalGate, VolcConfig, volcengine_engine
from bot.engines.volcengine.notices import OnOperatorError
from bot.errors import OperatorError
from bot.imaging.pool import PixelPool
from bot.settings import Settings

PRELOAD = ("bot.edits.pixels", "bot.engines.local")
"""What pixel processes import before their first job."""

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


def secrets_in(settings: Settings) -> list[str]:
    """All that must never be logged."""
    fields = (
        settings.telegram_bot_token,
        settings.telegram_webhook_secret,
        settings.volc_accesskey,
        settings.volc_secretkey,
        settings.volc_session_token,
        settings.database_url,
    )
    return [field.get_secret_value() for field in fields if field is not None]


def volc_config(settings: Settings) -> VolcConfig:
    """The cloud engine's part of the settings."""
    assert settings.volc_accesskey is not None
    assert settings.volc_secretkey is not None
    return VolcConfig(
        access_key=settings.volc_accesskey.get_secret_value(),
        secret_key=settings.volc_secretkey.get_secret_value(),
        session_token=settings.volc_session_token.get_secret_value() if settings.volc_session_token else "",
        endpoint=settings.volc_endpoint,
        region=settings.volc_region,
        inpaint=settings.volc_inpaint,
        steps=settings.volc_steps,
        strength=settings.volc_strength,
        scale=settings.volc_scale,
        dilate_size=settings.volc_dilate_size,
        quality=settings.volc_quality,
    )


@contextlib.asynccontextmanager
async def pixel_pool(settings: Settings, workers: int) -> AsyncIterator[PixelPool]:
    """The processes that work on pixels."""
    async with PixelPool(workers=workers, scratch=settings.data_dir / "scratch", preload=PRELOAD) as pool:
        yield pool


@contextlib.asynccontextmanager
async def engines(
    settings: Settings,
    pool: PixelPool,
    gate: Gate,
    on_operator_error: OnOperatorError | None = None,
) -> AsyncIterator[Sequence[Engine]]:
    """Who segments and inpaints, each the fallback of the one before."""
    local = local_engine(pool, models=settings.data_dir / "models")
    if not settings.uses_cloud:
        yield [local]
        return
    config = volc_config(settings)
    async with volcengine_engine(
        config, pool=pool, gate=gate, on_operator_error=on_operator_error, on_position=note_place_in_line
    ) as volc:
        falls_back = settings.engine == "auto" and settings.engine_fallback
        yield [volc, local] if falls_back else [volc]


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
    store = Store(database, Bounds(settings.pending_per_user, settings.edits_per_day))
    announcer = Announcer(store, courier, alone=database.is_sqlite)
    photos, results = caches(settings)
    models = settings.data_dir / "models"
    editor = Editor(ladder, pool, max_megapixels=settings.max_megapixels, models=models)
    steps = EditSteps(
        store=store,
        editor=editor,
        courier=courier,
        announcer=announcer,
        photos=photos,
        results=results,
        max_file_bytes=int(settings.max_file_mb * 1e6),
    )
    queue = EditQueue(database, steps, workers=settings.workers)
    edits = Edits(store, queue, courier, announcer, (photos, results))
    choices = Choices(store, edits, courier)
    canvas = Canvas(edits, steps, pool, max_megapixels=settings.max_megapixels, models=models)
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


def gate(settings: Settings, database: Database) -> Gate:
    """What limits the calls to the cloud, over all processes on the database."""
    if database.is_sqlite:
        return LocalGate(settings.volc_concurrency)
    return DatabaseGate(database, settings.volc_concurrency)


def pace(database: Database) -> SharedPace | None:
    """What keeps several processes together within Telegram's limits; one alone needs nothing."""
    return None if database.is_sqlite else SharedPace(database)
