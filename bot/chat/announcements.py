"""Sends announcements, one message after another, at a low rate.

People's answers come first: at most `PER_SECOND` messages a second, and only while Telegram's overall limit has room.
`bot.edits.records.announcements` records which person got which message, also after a crash.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import structlog
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.chat.api.bot_api_errors import description_contains, is_not_modified, to_bot_error
from bot.chat.api.flood_limiter import FloodLimiter, retry_after_seconds
from bot.edits.ports import ChatGoneError
from bot.edits.records.announcements import Announcement, Announcements, AnnouncementState, Outcome
from bot.edits.records.people import People
from bot.errors import BotError, OutageError
from bot.texts import Texts

log = structlog.get_logger()

PER_SECOND = 10.0
"""Messages a second; Telegram allows about 30 over all chats (docs/telegram.md#flood-limits)."""

PROGRESS_SECONDS = 3.0
"""Seconds between two edits of the panel."""

RECOVERY_SECONDS = 10.0
"""Seconds until an announcement continues after an outage."""

STOP_SECONDS = 3.0
"""Seconds that a running request may take after SIGTERM."""

SPARE_PAUSE, UNREACHABLE_PAUSE = 0.2, 3.0
"""Seconds between two checks of the limits, and of whether Telegram answers."""

_NEVER_SENT = frozenset(
    {
        "clientconnectorerror",
        "clientconnectordnserror",
        "clientproxyconnectionerror",
        "proxyconnectionerror",
        "the flood limit did not end",
    }
)
"""Errors of the transport and the limiter, in lower case, that mean: Telegram has not accepted the message."""

_SOURCE_GONE = ("message to copy not found", "message can't be copied")
"""Descriptions, in lower case, that mean: the message to copy does not exist."""


class _NotSentError(Exception):
    """Telegram has not accepted the message; it can be sent later.

    Args:
        pause: Seconds that Telegram asks to wait.
    """

    def __init__(self, pause: float = 0.0) -> None:
        super().__init__("not sent")
        self.pause = pause


class _SourceGoneError(Exception):
    """The message to copy does not exist."""


class AnnouncementSender:
    """Sends announcements.

    Args:
        bot: The Bot API.
        limiter: Its flood limits.
        records: The recorded announcements.
        people: Records who has blocked the bot.
        texts: The catalogues.
        alone: Whether no other process sends announcements (SQLite).
        per_second: Messages a second.
    """

    def __init__(
        self,
        bot: ExtBot[None],
        limiter: FloodLimiter,
        records: Announcements,
        people: People,
        texts: Texts,
        *,
        alone: bool,
        per_second: float = PER_SECOND,
    ) -> None:
        self._bot = bot
        self._limiter = limiter
        self._records = records
        self._people = people
        self._texts = texts
        self._alone = alone
        self._interval = 1 / per_second
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Look for something to send now: an announcement was started or stopped."""
        self._changed.set()

    async def run(self) -> None:
        """Send announcements until cancelled. A failure is logged, and the announcement continues later."""
        while True:
            self._changed.clear()
            try:
                for announcement in await self._records.under_way():
                    await self._send_all(announcement)
            except BotError as error:
                log.warning("announcement_postponed", reason=str(error))
            except Exception:  # the background's boundary
                log.exception("announcement_broke")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECOVERY_SECONDS):
                    await self._changed.wait()

    async def preview(self, announcement: Announcement) -> None:
        """Show an admin what people would get.

        Raises:
            TelegramError: It cannot be sent.
        """
        await self._post(announcement, announcement.chat)

    async def _send_all(self, announcement: Announcement) -> None:
        number, loop = announcement.number, asyncio.get_running_loop()
        if self._alone:
            await self._records.count_abandoned(number, alone=True)
        await self._show_progress(number)
        next_at, shown_at = loop.time(), loop.time()
        while True:
            await asyncio.sleep(max(0.0, next_at - loop.time()))
            await self._wait_for_room(number)
            next_at = loop.time() + self._interval
            person = await self._records.claim(number)
            if person is None:
                break
            if not await _ended_before_cancel(self._send_to(announcement, person)):
                break
            if loop.time() - shown_at >= PROGRESS_SECONDS:
                shown_at = loop.time()
                await self._show_progress(number)
        while await self._records.count_abandoned(number, alone=self._alone):  # noqa: ASYNC110 -- as above
            await asyncio.sleep(PROGRESS_SECONDS)
        await self._end(number)

    async def _wait_for_room(self, number: int) -> None:
        """Wait until the overall limit has spare room, or the announcement was stopped."""
        while not await self._limiter.has_spare():
            now = await self._records.get(number)
            if now is None or now.state is not AnnouncementState.SENDING:
                return
            await asyncio.sleep(SPARE_PAUSE)

    async def _send_to(self, announcement: Announcement, person: int) -> bool:
        """Send to a claimed person and record the outcome; returns whether to continue with the next person."""
        number = announcement.number
        try:
            outcome = await self._outcome(announcement, person)
        except _NotSentError as error:
            await self._records.unclaim(number, person)
            await asyncio.sleep(error.pause)
            await self._wait_until_reachable()
            return True
        except _SourceGoneError:
            await self._records.unclaim(number, person)
            await self._records.stop(number)
            log.warning("announcement_stopped", reason="the message to copy is gone")
            return False
        await self._records.record(number, person, outcome)
        if outcome is Outcome.BLOCKED:
            await self._people.note_blocked(person)
        if outcome is Outcome.UNCLEAR:  # during an outage only one person becomes unclear
            await self._wait_until_reachable()
        return True

    async def _outcome(self, announcement: Announcement, person: int) -> Outcome:
        """Send to one person.

        Raises:
            _NotSentError, _SourceGoneError: Nothing was sent.
        """
        try:
            await self._post(announcement, person)
        except RetryAfter as error:  # longer than the limiter waits
            raise _NotSentError(retry_after_seconds(error)) from None
        except TelegramError as error:
            if isinstance(error, BadRequest) and any(description_contains(error, words) for words in _SOURCE_GONE):
                raise _SourceGoneError from None
            meaning = to_bot_error(error)
            if isinstance(meaning, ChatGoneError):
                return Outcome.BLOCKED
            if not isinstance(meaning, OutageError):
                log.info("announcement_refused", reason=error.message)
                return Outcome.FAILED
            if not isinstance(error, NetworkError) or error.message.lower() in _NEVER_SENT:  # or a wrong token
                raise _NotSentError from None
            log.info("announcement_unclear", reason=error.message)
            return Outcome.UNCLEAR
        return Outcome.SENT

    async def _post(self, announcement: Announcement, chat: int) -> None:
        if announcement.copied is not None:
            await self._bot.copy_message(chat, announcement.chat, announcement.copied)
        else:
            await self._bot.send_message(chat, announcement.text or "")

    async def _wait_until_reachable(self) -> None:
        while True:
            try:
                await self._bot.get_me()
            except TelegramError as error:
                log.info("announcement_waits", reason=type(error).__name__)
                await asyncio.sleep(UNREACHABLE_PAUSE)
            else:
                return

    async def _show_progress(self, number: int) -> None:
        now = await self._records.get(number)
        if now is None or now.state is not AnnouncementState.SENDING:
            return
        text = self._texts.get(now.language, "announce-progress", done=f"{now.done:,}", total=f"{now.total:,}")
        button = InlineKeyboardButton(self._texts.get(now.language, "button-stop"), callback_data=f"a:{number}:stop")
        try:
            await self._show(now, text, InlineKeyboardMarkup([[button]]))
        except TelegramError as error:
            log.info("announcement_progress_not_shown", reason=type(error).__name__)

    async def _end(self, number: int) -> None:
        """Show the counts, then record the end: after a crash the same message is edited again.

        Raises:
            OutageError: Telegram does not answer.
        """
        now = await self._records.get(number)
        if now is None:
            return
        try:
            await self._show(now, result_text(self._texts, now))
        except TelegramError as error:
            meaning = to_bot_error(error)
            if isinstance(meaning, OutageError):
                raise meaning from error
            log.info("announcement_end_not_shown", reason=error.message)
        await self._records.finish(number)
        log.info("announcement_ended", sent=now.sent, blocked=now.blocked, failed=now.failed, unclear=now.unclear)

    async def _show(self, announcement: Announcement, text: str, buttons: InlineKeyboardMarkup | None = None) -> None:
        try:
            await self._bot.edit_message_text(text, announcement.chat, announcement.panel, reply_markup=buttons)
        except BadRequest as error:
            if not is_not_modified(error):
                raise


async def _ended_before_cancel(sending: Coroutine[Any, Any, bool]) -> bool:
    """The result of sending to one person. At SIGTERM the request may end first, so that its outcome is recorded."""
    task = asyncio.create_task(sending)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=STOP_SECONDS)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


def result_text(texts: Texts, announcement: Announcement) -> str:
    """How many people got an announcement that has ended."""
    was_stopped = announcement.state is AnnouncementState.STOPPING
    counts = {name: f"{getattr(announcement, name):,}" for name in ("sent", "blocked", "failed", "unclear")}
    line = texts.get(announcement.language, "announce-stopped" if was_stopped else "announce-done", **counts)
    if not announcement.unclear:
        return line
    return f"{line}\n{texts.get(announcement.language, 'announce-unclear', **counts)}"


def confirmation(texts: Texts, announcement: Announcement, people: int) -> tuple[str, InlineKeyboardMarkup | None]:
    """The question below a preview, with its buttons; no buttons if there are no recipients.

    Args:
        texts: The catalogues.
        announcement: The draft.
        people: How many would get it.
    """
    language, number = announcement.language, announcement.number
    if not people:
        return texts.get(language, "announce-nobody"), None
    labels = {"send": texts.get(language, "button-announce", people=f"{people:,}")}
    labels["drop"] = texts.get(language, "button-not-announce")
    rows = [[InlineKeyboardButton(label, callback_data=f"a:{number}:{verb}")] for verb, label in labels.items()]
    return texts.get(language, "announce-ask", people=f"{people:,}"), InlineKeyboardMarkup(rows)
