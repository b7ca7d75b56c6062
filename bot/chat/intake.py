"""Updates come in: each is confirmed to Telegram only when its handler has returned.

python-telegram-bot's own updater confirms before handling (facts/telegram.md, lost updates): a killed process would
lose what it had accepted. Handlers are idempotent, so an update that comes twice does no harm.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum, auto

import structlog
from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.chat.api.flood_limiter import seconds
from bot.chat.application import ALLOWED_UPDATES
from bot.chat.services import App, ChatServices
from bot.errors import OperatorError, OutageError

log = structlog.get_logger()

POLL_SECONDS = 25
"""How long Telegram keeps a request for updates open when there are none."""

HANDLER_SECONDS = 60.0
"""No handler takes longer: they only record and reply."""

HANDLER_TRIES = 3
"""An update whose handler fails so often is given up, so that it cannot hold up all that come after it."""

OUTAGE_PAUSE = 1.0
"""Seconds before updates that could not be recorded are asked for again."""

AT_A_TIME = 256
"""Updates handled at a time; those of one chat one after another."""


class Outcome(Enum):
    """What came of an update."""

    SAFE = auto()
    """It is recorded: it may be confirmed."""
    GIVEN_UP = auto()
    """Its handler fails again and again: a mistake of ours, which must not hold up all that come after it."""
    OUTAGE = auto()
    """It cannot be recorded now (the database is away): it must come again."""


class Intake:
    """Hands updates to the handlers.

    Args:
        application: The handlers.
        services: Where failed handlers leave their errors.
    """

    def __init__(self, application: App, services: ChatServices) -> None:
        self._application = application
        self._services = services
        self._at_a_time = asyncio.Semaphore(AT_A_TIME)

    async def handle(self, update: Update) -> Outcome:
        """Run the handlers of one update."""
        for attempt in range(1, HANDLER_TRIES + 1):
            with structlog.contextvars.bound_contextvars(update=update.update_id):
                error = await self._attempt(update)
                if error is None:
                    return Outcome.SAFE
                if isinstance(error, OutageError):
                    log.warning("update_has_to_wait", reason=str(error))
                    return Outcome.OUTAGE
                log.error("update_failed", attempt=attempt, exc_info=error)
            if attempt < HANDLER_TRIES:
                await asyncio.sleep(0.5 * attempt)
        return Outcome.GIVEN_UP

    async def _attempt(self, update: Update) -> Exception | None:
        try:
            async with self._at_a_time, asyncio.timeout(HANDLER_SECONDS):
                await self._application.process_update(update)
        except TimeoutError as late:
            return late
        finally:
            error = self._services.failures.pop(update.update_id, None)
        return error

    async def handle_all(self, updates: Sequence[Update]) -> int | None:
        """Handle updates: one chat's in their order, different chats' side by side; returns when all were tried.

        Returns:
            The id of the first update that has to come again, since it cannot be recorded now; None where all may be
            confirmed.
        """
        by_chat: defaultdict[int | None, list[Update]] = defaultdict(list)
        for update in updates:
            by_chat[update.effective_chat.id if update.effective_chat else None].append(update)
        async with asyncio.TaskGroup() as tasks:
            chats = [tasks.create_task(self._in_order(same_chat)) for same_chat in by_chat.values()]
        return min((again for again in (chat.result() for chat in chats) if again is not None), default=None)

    async def _in_order(self, updates: Sequence[Update]) -> int | None:
        for update in updates:
            if await self.handle(update) is Outcome.OUTAGE:
                return update.update_id
        return None


async def poll(application: App, intake: Intake, stop: asyncio.Event) -> None:
    """Ask for updates until `stop`; the next request confirms those before it, so it is made when they are handled.

    Raises:
        OperatorError: ``wrong-token``.
    """
    bot, offset, pause = application.bot, None, 0.0
    await call_until_done(lambda: bot.delete_webhook(drop_pending_updates=False), stop)
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            asking = asyncio.create_task(
                bot.get_updates(offset=offset, timeout=POLL_SECONDS, allowed_updates=ALLOWED_UPDATES)
            )
            await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                break
            try:
                updates = asking.result()
            except InvalidToken:
                raise OperatorError("wrong-token") from None
            except TelegramError as error:
                pause = _pause_after(error, pause)
                log.warning("polling_failed", reason=type(error).__name__, retry_in=pause)
                await asyncio.wait({stopping}, timeout=pause)
                continue
            pause = 0.0
            if updates:
                # What comes again was perhaps handled already, in another chat: handlers may run twice.
                again = await intake.handle_all(updates)
                offset = updates[-1].update_id + 1 if again is None else again
                if again is not None:
                    await asyncio.wait({stopping}, timeout=OUTAGE_PAUSE)
    finally:
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
    if offset is not None:
        await _confirm(application, offset)


def _pause_after(error: TelegramError, last: float) -> float:
    """Seconds to wait before asking again: as long as told, else longer each time up to half a minute."""
    if isinstance(error, RetryAfter):
        return seconds(error)
    if isinstance(error, Conflict):
        log.error("another_bot_is_polling", advice="stop the other process that uses this token")
        return 10.0
    return min(30.0, max(0.5, 2 * last))


async def _confirm(application: App, offset: int) -> None:
    """Confirm what was handled last, so that the next process does not get it again (it would do no harm)."""
    try:
        await application.bot.get_updates(offset=offset, timeout=0, limit=1, allowed_updates=ALLOWED_UPDATES)
    except TelegramError as error:
        log.info("last_updates_not_confirmed", reason=type(error).__name__)


async def call_until_done(call: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Make a call that must succeed before the bot can work, for as long as it takes."""
    pause = 0.0
    while not stop.is_set():
        try:
            await call()
        except InvalidToken:
            raise OperatorError("wrong-token") from None
        except TelegramError as error:
            pause = _pause_after(error, pause)
            log.warning("telegram_not_reached", reason=type(error).__name__, retry_in=pause)
            await asyncio.sleep(pause)
        else:
            return
