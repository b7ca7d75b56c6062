"""Builds the whole program from the settings: a table of contents of what there is, and of what each part is given.

`process` starts what is built here, waits, and stops it. `engine_wiring` builds the part that an edit on the command
line needs, too, and `storage_wiring` the part that the doctor looks at.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import web
from telegram.ext import ExtBot

from bot import engine_wiring, storage_wiring
from bot.chat.announcements import AnnouncementSender
from bot.chat.api.client import WEBHOOK_PATH, make_bot
from bot.chat.api.flood_limiter import FloodLimiter
from bot.chat.api.message_ids import MessageIds
from bot.chat.application import make_application
from bot.chat.courier import TelegramCourier
from bot.chat.notices import tell_admins
from bot.chat.payment_notices import PaymentNotices
from bot.chat.payments import PaymentServices
from bot.chat.reactions import Reactions
from bot.chat.replies import Replies
from bot.chat.services import App, ChatServices, OperatorServices
from bot.chat.settings_messages import SettingsMessages
from bot.chat.updates.identity import Identities
from bot.chat.updates.intake import Intake
from bot.chat.updates.not_understood_limit import NotUnderstoodLimit
from bot.chat.updates.webhook import Webhook
from bot.chat.views.keyboards import Keyboards
from bot.edits.banning import Banning
from bot.edits.canvas import Canvas
from bot.edits.choices import Choices
from bot.edits.person_deletion import PersonDeletion
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.files import EditFiles
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.service import Edits
from bot.edits.shown_results import ShownResults
from bot.edits.unasked import Unasked
from bot.edits.variants import Variants
from bot.edits.workflow import metrics
from bot.edits.workflow.announcer import Announcer
from bot.edits.workflow.estimates import Estimates
from bot.edits.workflow.progress import report_queue_position
from bot.edits.workflow.queue import EditQueue
from bot.edits.workflow.steps import EditSteps
from bot.engines import Engine
from bot.engines.volcengine import CallSlots, OperatorNotice
from bot.engines.volcengine.notices import OnOperatorError
from bot.engines.volcengine.transport import OnCall
from bot.imaging.pool import PixelPool
from bot.playground import add_playground
from bot.playground.page import PERSON
from bot.playground.saved_chat import MAX_BYTES, SavedChat
from bot.settings import Settings
from bot.storage.data_folder import DataFolder
from bot.storage.database import Database
from bot.storage.file_cache import FileCache
from bot.texts import Texts
from webapp.application import add_mini_app
from webapp.health import Health
from webapp.limits import TrustedProxies


@dataclass(slots=True)
class Core:
    """What works on edits: all of a worker, and the larger part of the bot.

    Attributes:
        bot: The Bot API.
        limiter: Its flood limits.
        not_understood_limit: Selects the updates that need no handling.
        store: Edits in the database.
        queue: Runs edits.
        edits: Submits and changes edits, for the chat and the Mini App.
        choices: Corrects a wrong find.
        variants: Makes and shows variants of results.
        deletions: Deletes people's data.
        canvas: What the Mini App can do.
        photos: Cache of downloaded photos.
        results: Cache of finished pictures.
        folder: Measures the data folder.
        database: The database.
    """

    bot: ExtBot[None]
    limiter: FloodLimiter
    not_understood_limit: NotUnderstoodLimit
    store: Store
    queue: EditQueue
    edits: Edits
    choices: Choices
    variants: Variants
    deletions: PersonDeletion
    canvas: Canvas
    photos: FileCache
    results: FileCache
    folder: DataFolder
    database: Database


@dataclass(slots=True)
class Front:
    """What receives updates and HTTP requests, on top of `Core`.

    Attributes:
        application: The handlers.
        replies: Sends replies; enter it before updates come.
        announcements: Sends the admins' announcements.
        payments: Tells people and admins of payments.
        intake: Passes updates to the handlers.
        webhook: Receives updates by HTTP.
        site: The web server's routes.
    """

    application: App
    replies: Replies
    announcements: AnnouncementSender
    payments: PaymentNotices
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
        storage_wiring.open_database(settings) as database,
        engine_wiring.pixel_pool(settings, settings.workers) as pool,
    ):
        folder = storage_wiring.data_folder(settings)
        limits = EditLimits(settings.pending_per_user, settings.edits_per_day, check_room=folder.check_room)
        store = Store(database, limits)
        await store.bans.load(settings.admins)
        limiter = FloodLimiter(
            shared_limits=storage_wiring.shared_rate_limiter(database),
            message_ids=message_ids,
            on_chat_moved=store.chat_moves.follow,
        )
        not_understood_limit = NotUnderstoodLimit()
        bot = make_bot(token, settings.telegram_api_url, limiter, settings.telegram_proxy_address, not_understood_limit)

        async def notify_admins(notice: OperatorNotice) -> None:
            await tell_admins(bot, settings.admins, str(notice))

        async def count_call(ability: str, succeeded: bool) -> None:
            await store.statistics.count_call(ability, succeeded=succeeded)

        async with engines(
            settings, pool, storage_wiring.call_slots(settings, database), notify_admins, count_call
        ) as ladder:
            texts = Texts(settings.language)
            keyboards = Keyboards(texts, app_url, lambda: bot.username)
            courier = TelegramCourier(bot, message_ids, texts, keyboards, Reactions(bot, limiter))
            names = {engine.name for engine in ladder}
            estimates = Estimates(store.work_times, engines=names, workers=settings.workers)
            announcer = Announcer(store, courier, alone=database.is_sqlite, estimates=estimates)
            photos, results = storage_wiring.caches(settings)
            editor = Editor(ladder, pool, max_megapixels=settings.max_megapixels, models=settings.models_folder)
            files = EditFiles(courier, photos, results, max_file_bytes=int(settings.max_file_mb * 1e6))
            steps = EditSteps(store=store, editor=editor, courier=courier, announcer=announcer, files=files)
            queue = EditQueue(database, steps, workers=settings.workers)
            edits = Edits(store, queue, courier, announcer)
            shown = ShownResults(store, edits, courier)
            choices = Choices(store, edits, shown, courier)
            variants = Variants(store, edits, shown, courier)
            deletions = PersonDeletion(store, queue, courier, (photos, results), edits.stop)
            canvas = Canvas(
                store, edits, files, pool, shown, max_megapixels=settings.max_megapixels, models=settings.models_folder
            )
            yield Core(
                bot,
                limiter,
                not_understood_limit,
                store,
                queue,
                edits,
                choices,
                variants,
                deletions,
                canvas,
                photos,
                results,
                folder,
                database,
            )


def build_front(settings: Settings, core: Core, token: str, playground: SavedChat | None) -> Front:
    """Build the chat's handlers and the web server's routes.

    Args:
        settings: All settings.
        core: Works on the edits.
        token: The bot's token.
        playground: The stand-in for Telegram with its saved chat, if the bot runs without Telegram.
    """
    texts = Texts(settings.language)
    replies = Replies(core.limiter.delay, core.not_understood_limit)
    store = core.store
    settings_messages = SettingsMessages(core.bot, store.person_settings, texts, settings.retention_hours)
    sender = AnnouncementSender(
        core.bot, core.limiter, store.announcements, store.people, texts, alone=core.database.is_sqlite
    )
    operators = OperatorServices(
        admins=settings.admins,
        banning=Banning(store, core.edits),
        statistics=store.statistics,
        announcements=store.announcements,
        sender=sender,
        price_per_call=settings.volc_price_per_call,
    )
    notices = PaymentNotices(
        core.bot, store.payments, store.support_requests, texts, settings.language, settings.admins
    )
    services = ChatServices(
        edits=core.edits,
        choices=core.choices,
        variants=core.variants,
        unasked=Unasked(core.store, core.edits),
        settings=core.store.person_settings,
        settings_messages=settings_messages,
        texts=texts,
        allowed_users=settings.allowed_users,
        max_file_bytes=int(settings.max_file_mb * 1e6),
        retention_hours=settings.retention_hours,
        uses_cloud=settings.uses_cloud,
        replies=replies,
        deletions=core.deletions,
        identities=Identities(core.bot),
        chat_moves=core.store.chat_moves,
        bans=store.bans,
        people=store.people,
        operators=operators,
        payments=PaymentServices(
            settings.stars_packs, settings.edits_per_day, store.payments, store.support_requests, notices
        ),
    )
    application = make_application(core.bot, services)
    intake = Intake(application, services)
    webhook = Webhook(application, intake, core.not_understood_limit, engine_wiring.webhook_secret(settings, token))
    site = web.Application()
    add_mini_app(
        site,
        core.canvas,
        texts,
        bot_token=token,
        allowed=settings.allowed_users,
        is_banned=store.bans.is_banned,
        telegram_script="/playground/telegram-web-app.js" if playground is not None else None,
        init_data_max_age=settings.init_data_hours * 3600,
        proxies=TrustedProxies(settings.trusted_proxies),
        health=health(settings, core, has_metrics=settings.metrics_port is None),
    )
    if playground is not None:
        add_playground(site, playground.telegram, playground)
        core.deletions.add_step(playground.forget)
    if settings.telegram_updates == "webhook":
        site.router.add_post(WEBHOOK_PATH, webhook.receive)
    return Front(application, replies, sender, notices, intake, webhook, site)


def health(settings: Settings, core: Core, *, has_metrics: bool = True) -> Health:
    """What /healthz, /readyz and /metrics answer."""

    async def update_metrics() -> None:
        metrics.show_queue(await core.store.statistics.queue())

    def ready() -> bool:
        return core.queue.is_ready() and not core.folder.is_full() and core.database.outage.seconds is None

    return Health(
        ready=ready,
        warning=lambda: core.database.outage.warning() or core.folder.warning(),
        update_metrics=update_metrics if has_metrics else None,
    )


@contextlib.asynccontextmanager
async def engines(
    settings: Settings,
    pool: PixelPool,
    slots: CallSlots,
    on_operator_error: OnOperatorError | None = None,
    on_call: OnCall | None = None,
) -> AsyncIterator[Sequence[Engine]]:
    """The engines, each the fallback of the one before; positions in the cloud's queue are reported to the edits."""
    async with engine_wiring.engines(
        settings,
        pool,
        slots,
        on_operator_error=on_operator_error,
        on_position=report_queue_position,
        on_call=on_call,
    ) as ladder:
        yield ladder


def saved_chat(settings: Settings) -> SavedChat:
    """The playground's chat of earlier starts; its pictures take a tenth of DATA_MAX_MB at most."""
    max_bytes = min(MAX_BYTES, int(settings.data_max_mb * 1e5))
    return SavedChat(settings.data_dir / "playground", PERSON, max_bytes=max_bytes)
