"""Sends replies beside the handlers, so that a chat's flood limit delays that chat only.

A reply is a text that nothing depends on: the help, a refusal, "I did not understand". It is not recorded: if the
process is killed before it is sent, it is lost. Status messages and results take another
way (`bot.edits.workflow.announcer`).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import structlog
from telegram import CallbackQuery, InlineKeyboardMarkup, Message, ReplyParameters
from telegram.error import TelegramError

from bot.chat.topics import topic_of
from bot.chat.updates.not_understood_limit import NotUnderstoodLimit

log = structlog.get_logger()

MAX_REPLIES_PER_CHAT = 10
"""Replies that wait in one chat; then the oldest are dropped."""

MAX_CHATS = 5_000
"""Chats in which replies wait; in further chats replies are dropped."""

MAX_CONCURRENT = 4
"""Replies sent at a time. All messages share 30 a second: a status message waits behind at most this many replies."""

MAX_ANSWERS = 200
"""Answers to pressed buttons that are sent at a time; further ones are dropped: Telegram's clients give up waiting."""

SEND_TIMEOUT = 30.0
DRAIN_SECONDS = 3.0


_Post = Callable[[], Awaitable[None]]
"""Sends one message."""


@dataclass(slots=True)
class _Chat:
    """The replies that wait in one chat, and when the next one may be sent (event loop time)."""

    waiting: deque[_Post] = field(default_factory=deque)
    not_before: float = 0.0
    is_sending: bool = False


class Replies:
    """Sends replies in the order of each chat, at most one at a time in a chat, chats in turn.

    Args:
        delay: Seconds until a chat's flood limit lets a message through.
        not_understood_limit: Counts the replies that say that the bot did not understand.
    """

    def __init__(self, delay: Callable[[int], float], not_understood_limit: NotUnderstoodLimit) -> None:
        self._delay = delay
        self._not_understood_limit = not_understood_limit
        self._chats: OrderedDict[int, _Chat] = OrderedDict()
        self._changed = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._sending: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self._dispatcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start sending."""
        self._dispatcher = asyncio.create_task(self._dispatch())
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Send what waits for at most `DRAIN_SECONDS`, then stop."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._is_idle.wait()
                await asyncio.gather(*self._answering)
        except TimeoutError:
            log.info("replies_dropped", chats=len(self._chats))
        tasks = [task for task in (self._dispatcher, *self._sending, *self._answering) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def answer(self, query: CallbackQuery, text: str | None = None, *, is_alert: bool = False) -> None:
        """Answer a pressed button soon; Telegram's client shows a spinner until then.

        Args:
            query: The callback query.
            text: Shown to the person; None: only the spinner ends.
            is_alert: Whether the person has to close the text.
        """
        if len(self._answering) >= MAX_ANSWERS:
            log.info("answer_dropped")
            return
        task = asyncio.create_task(_answer(query, text, is_alert=is_alert))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    def send(
        self, message: Message, text: str, *, rarely: bool = False, keyboard: InlineKeyboardMarkup | None = None
    ) -> None:
        """Reply to a message soon. The reply is dropped if replies wait in too many chats.

        Args:
            message: The message.
            text: The reply.
            rarely: Whether the reply says that the bot did not understand: further ones are dropped for a while.
            keyboard: Buttons under the reply.
        """
        chat_id = message.chat.id
        if rarely and not self._not_understood_limit.may_reply(chat_id):
            return
        self.post(chat_id, partial(_send, message, text, keyboard))

    def post(self, chat_id: int, post: _Post) -> None:
        """Send a message of any kind soon, as `send` does.

        Args:
            chat_id: Where it goes.
            post: Sends it; it raises no TelegramError.
        """
        chat = self._chats.get(chat_id)
        if chat is None:
            if len(self._chats) >= MAX_CHATS:
                log.info("reply_dropped", reason="too many chats")
                return
            chat = self._chats[chat_id] = _Chat()
        elif len(chat.waiting) >= MAX_REPLIES_PER_CHAT:
            log.info("reply_dropped", reason="too many in the chat")
            chat.waiting.popleft()
        chat.waiting.append(post)
        self._is_idle.clear()
        self._changed.set()

    async def _dispatch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            next_at = self._start_due(loop.time())
            try:
                async with asyncio.timeout_at(next_at):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _start_due(self, now: float) -> float | None:
        """Start sending where a chat's limit allows it; returns when to look again, None: at the next change."""
        next_at: float | None = None
        for chat_id, chat in list(self._chats.items()):
            if chat.is_sending or not chat.waiting:
                continue
            if len(self._sending) >= MAX_CONCURRENT:
                return None  # the end of a sending is a change
            chat.not_before = max(chat.not_before, now + self._delay(chat_id))
            if chat.not_before > now:
                next_at = chat.not_before if next_at is None else min(next_at, chat.not_before)
                continue
            chat.is_sending = True
            self._chats.move_to_end(chat_id)  # chats take turns
            task = asyncio.create_task(self._send_next(chat_id, chat))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return next_at

    async def _send_next(self, chat_id: int, chat: _Chat) -> None:
        try:
            await chat.waiting.popleft()()
        finally:
            chat.is_sending = False
            if not chat.waiting:
                del self._chats[chat_id]
            if not self._chats:
                self._is_idle.set()
            asyncio.get_running_loop().call_soon(self._changed.set)


async def _answer(query: CallbackQuery, text: str | None, *, is_alert: bool) -> None:
    """Answer a callback query; a failure is only logged: the query may be too old."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            await query.answer(text, show_alert=is_alert)
    except (TelegramError, TimeoutError) as error:
        log.info("answer_not_sent", reason=type(error).__name__)


async def _send(message: Message, text: str, keyboard: InlineKeyboardMarkup | None) -> None:
    """Send a reply; a failure is only logged, because nothing depends on a reply."""
    quoted = ReplyParameters(message.message_id, allow_sending_without_reply=True)
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            await message.get_bot().send_message(
                message.chat.id,
                text,
                reply_parameters=quoted,
                reply_markup=keyboard,
                message_thread_id=topic_of(message),
            )
    except (TelegramError, TimeoutError) as error:
        log.info("reply_not_sent", message=message.message_id, reason=type(error).__name__)
