"""Updates come in: each is confirmed to Telegram only when its handler has returned.

python-telegram-bot's own updater confirms before handling (facts/telegram.md, lost updates): a killed process would
lose what it had accepted. Handlers are idempotent, so an update that comes twice does no harm.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import structlog
from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.chat.application import ALLOWED_UPDATES
from bot.chat.house import App, House
from bot.chat.limiter import seconds
from bot.errors import OperatorError

log = structlog.get_logger()

POLL_SECONDS = 25
"""How long Telegram keeps a request for updates open when there are none."""

HANDLER_SECONDS = 60.0
"""No handler takes longer: they only record and reply."""

HANDLER_TRIES = 3
"""An update whose handler fails so often is given up, so that it cannot hold up all that come after it."""

AT_A_TIME = 256
"""Updates handled at a time; those of one chat one after another."""


class Intake:
    """Hands updates to the handlers.

    Args:
        application: The handlers.
        house: Where failed handlers leave their errors.
    """

    def __init__(self, application: App, house: House) -> None:
        self._application = application
        self._house = house
        self._at_a_time = asyncio.Semaphore(AT_A_TIME)

    async def handle(self, update: Update) -> bool:
        """Run the handlers of one update; True once it is safe to confirm it."""
        for attempt in range(1, HANDLER_TRIES + 1):
            with structlog.contextvars.bound_contextvars(update=update.update_id):
                try:
                    async with self._at_a_time, asyncio.timeout(HANDLER_SECONDS):
                        await self._application.process_update(update)
                    error = self._house.failures.pop(update.update_id, None)
                except TimeoutError as late:
                    error = late
                if error is None:
                    return True
                log.error("update_failed", attempt=attempt, exc_info=error)
            if attempt < HANDLER_TRIES:
                await asyncio.sleep(0.5 * attempt)
        return False

    async def handle_all(self, updates: Sequence[Update]) -> None:
        """Handle updates: one chat's in their order, different chats' side by side; returns when all are handled."""
        by_chat: defaultdict[int | None, list[Update]] = defaultdict(list)
        for update in updates:
            by_chat[update.effective_chat.id if update.effective_chat else None].append(update)
        async with asyncio.TaskGroup() as tasks:
            for same_chat in by_chat.values():
                tasks.create_task(self._in_order(same_chat))

    async def _in_order(self, updates: Sequence[Update]) -> None:
        for update in updates:
            await self.handle(update)


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
                await intake.handle_all(updates)
                offset = updates[-1].update_id + 1
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
