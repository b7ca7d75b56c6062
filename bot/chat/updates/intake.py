"""Receives updates, and confirms each to Telegram only when its handler has returned.

python-telegram-bot's own updater confirms updates before they are handled, so a killed process loses them
(docs/telegram.md#acknowledging-updates). Handlers are idempotent: an update that comes twice does no harm.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum, auto
from typing import Any

import structlog
from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.chat.api.client import ALLOWED_UPDATES
from bot.chat.api.flood_limiter import retry_after_seconds
from bot.chat.api.transport import NotBotApiError
from bot.chat.services import App, ChatServices
from bot.errors import OperatorError, OutageError
from bot.operator_text import OperatorText

log = structlog.get_logger()

POLL_SECONDS = 25
"""How long Telegram keeps a getUpdates request open while there are no updates."""

HANDLER_SECONDS = 60.0
"""Time limit of a handler; handlers only record a request and reply."""

HANDLER_ATTEMPTS = 3
"""An update whose handler fails this often is given up, so that later updates are handled."""

STOP_HANDLERS_SECONDS = 3.0
"""How long handlers may go on after SIGTERM. The updates of those that still run come again at the next start."""

CONFIRM_SECONDS = 2.0
"""Time limit of the last getUpdates, which only saves the next process some repeats."""

API_EXAMPLE = "TELEGRAM_API_URL=https://api.telegram.org"

OUTAGE_PAUSE = 1.0
"""Seconds before updates that could not be recorded are requested again."""

MAX_CONCURRENT_UPDATES = 256
"""Updates handled at a time. The updates of one chat are handled in order."""


MAX_HANDLED_IDS = 20_000
"""Updates that are remembered as handled. After an outage Telegram repeats updates that came beside the one that could
not be recorded; without this memory a /help was answered thirty times while the disk was full."""


class UpdateOutcome(Enum):
    """The result of handling an update."""

    HANDLED = auto()
    """It can be confirmed."""
    GIVEN_UP = auto()
    """Its handler failed at each attempt: a bug of this program. It is confirmed, so that later updates come."""
    OUTAGE = auto()
    """It cannot be recorded now, because the database is down. Telegram must send it again."""


class Intake:
    """Passes updates to the handlers.

    Args:
        application: The handlers.
        services: Receives the errors of failed handlers.
    """

    def __init__(self, application: App, services: ChatServices) -> None:
        self._application = application
        self._services = services
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_UPDATES)
        self._handled: OrderedDict[int, None] = OrderedDict()

    async def handle(self, update: Update) -> UpdateOutcome:
        """Run the handlers of one update, unless this process has handled it already."""
        if update.update_id in self._handled:
            return UpdateOutcome.HANDLED
        outcome = await self._handle(update)
        if outcome is not UpdateOutcome.OUTAGE:
            self._handled[update.update_id] = None
            while len(self._handled) > MAX_HANDLED_IDS:
                self._handled.popitem(last=False)
        return outcome

    async def _handle(self, update: Update) -> UpdateOutcome:
        for attempt in range(1, HANDLER_ATTEMPTS + 1):
            with structlog.contextvars.bound_contextvars(update=update.update_id):
                error = await self._attempt(update)
                if error is None:
                    return UpdateOutcome.HANDLED
                if isinstance(error, OutageError):
                    log.warning("update_postponed", reason=str(error))
                    return UpdateOutcome.OUTAGE
                log.error("update_failed", attempt=attempt, exc_info=error)
            if attempt < HANDLER_ATTEMPTS:
                await asyncio.sleep(0.5 * attempt)
        return UpdateOutcome.GIVEN_UP

    async def _attempt(self, update: Update) -> Exception | None:
        try:
            # A pre-checkout query has 10 seconds (docs/telegram.md#stars), so it waits for no slot.
            slot = contextlib.nullcontext() if update.pre_checkout_query is not None else self._slots
            async with slot, asyncio.timeout(HANDLER_SECONDS):
                await self._application.process_update(update)
        except TimeoutError as error:
            return error
        finally:
            failure = self._services.failures.pop(update.update_id, None)
        return failure

    async def handle_all(self, updates: Sequence[Update]) -> int | None:
        """Handle updates: those of one chat in order, those of different chats concurrently.

        Returns:
            The id of the first update that Telegram must send again after an outage; None if all can be confirmed.
        """
        by_chat: defaultdict[int | tuple[int], list[Update]] = defaultdict(list)
        for update in updates:  # one without a chat, such as a pre-checkout query, waits for no other
            by_chat[update.effective_chat.id if update.effective_chat else (update.update_id,)].append(update)
        async with asyncio.TaskGroup() as tasks:
            chats = [tasks.create_task(self._in_order(same_chat)) for same_chat in by_chat.values()]
        return min((id_ for id_ in (chat.result() for chat in chats) if id_ is not None), default=None)

    async def _in_order(self, updates: Sequence[Update]) -> int | None:
        for update in updates:
            if await self.handle(update) is UpdateOutcome.OUTAGE:
                return update.update_id
        return None


async def poll(application: App, intake: Intake, stop: asyncio.Event) -> None:
    """Request updates until `stop`. A getUpdates request confirms all earlier updates, so it waits for their handlers.

    Raises:
        OperatorError: ``wrong-token``.
    """
    bot, offset, pause = application.bot, None, 0.0
    await retry_until_success(lambda: bot.delete_webhook(drop_pending_updates=False), stop)
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            request = asyncio.create_task(
                bot.get_updates(offset=offset, timeout=POLL_SECONDS, allowed_updates=ALLOWED_UPDATES)
            )
            if not await _ends_before(stopping, request):
                break
            try:
                updates = request.result()
            except InvalidToken:
                raise OperatorError("wrong-token") from None
            except TelegramError as error:
                pause = _pause_after(error, pause)
                log.warning("polling_failed", reason=f"{type(error).__name__}: {error.message}", retry_in=pause)
                await asyncio.wait({stopping}, timeout=pause)
                continue
            pause = 0.0
            if updates:
                # Later updates of other chats may be handled already and come again: handlers may run twice.
                handling = asyncio.create_task(intake.handle_all(updates))
                if not await _ends_before(stopping, handling, STOP_HANDLERS_SECONDS):
                    log.info("updates_left", count=len(updates))  # not confirmed: they come again at the next start
                    return
                unconfirmed = handling.result()
                offset = updates[-1].update_id + 1 if unconfirmed is None else unconfirmed
                if unconfirmed is not None:
                    await asyncio.wait({stopping}, timeout=OUTAGE_PAUSE)
    finally:
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
    if offset is not None:
        await _confirm(application, offset)


async def _ends_before(stopping: asyncio.Task[Any], task: asyncio.Task[Any], grace: float = 0.0) -> bool:
    """Wait for `task` until `stopping` ends, and `grace` seconds longer; then cancel it. Returns whether it ended."""
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() and grace:
            await asyncio.wait({task}, timeout=grace)
        return task.done()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _pause_after(error: TelegramError, last: float) -> float:
    """Seconds before the next request: what Telegram asks for, else twice the last pause, from 0.5 to 30 s."""
    if isinstance(error, RetryAfter):
        return retry_after_seconds(error)
    if isinstance(error, Conflict):
        log.error("another_bot_is_polling", advice="stop the other process that uses this token")
        return 10.0
    return min(30.0, max(0.5, 2 * last))


async def _confirm(application: App, offset: int) -> None:
    """Confirm the last updates, so that the next process does not receive them again (which would do no harm)."""
    try:
        async with asyncio.timeout(CONFIRM_SECONDS):
            await application.bot.get_updates(offset=offset, timeout=0, limit=1, allowed_updates=ALLOWED_UPDATES)
    except (TelegramError, TimeoutError) as error:
        log.info("last_updates_not_confirmed", reason=type(error).__name__)


async def retry_until_success(call: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Make a call to Telegram that the start depends on; repeat it until it succeeds or `stop` is set.

    Raises:
        OperatorError: ``wrong-token``, or TELEGRAM_API_URL is no Bot API server.
    """
    pause = 0.0
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            calling = asyncio.ensure_future(_made(call))
            if not await _ends_before(stopping, calling):
                return
            try:
                calling.result()
            except InvalidToken:
                raise OperatorError("wrong-token") from None
            except NotBotApiError as error:
                text = OperatorText(
                    "TELEGRAM_API_URL: there is no Bot API server (“{answer}”); for example {example}",
                    answer=error.message,
                    example=API_EXAMPLE,
                )
                raise OperatorError("wrong-setting", text=text) from None
            except TelegramError as error:
                pause = _pause_after(error, pause)
                reason = f"{type(error).__name__}: {error.message}"
                advice = f"check the network and TELEGRAM_API_URL, for example {API_EXAMPLE}"
                log.warning("telegram_not_reached", reason=reason, retry_in=pause, advice=advice)
                await asyncio.wait({stopping}, timeout=pause)
            else:
                return
    finally:
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)


async def _made(call: Callable[[], Awaitable[object]]) -> object:
    return await call()
