"""Delays requests to keep within Telegram's flood limits, and repeats idempotent ones after network errors.

It raises after `MAX_ATTEMPTS`, and where Telegram asks for more than `MAX_RETRY_AFTER` seconds.

Limits (`telegram.constants.FloodLimit`, docs/telegram.md#flood-limits): about 30 messages a second overall, 1 a second
in one chat (short bursts pass), 20 a minute in one group. Edits count as messages. The exact rules are not published,
so Telegram's ``retry_after`` overrides them.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

import structlog
from telegram._utils.types import JSONDict
from telegram.error import BadRequest as TelegramBadRequest
from telegram.error import ChatMigrated, NetworkError, RetryAfter, TimedOut
from telegram.ext import BaseRateLimiter

from bot.chat.api.message_ids import MessageIds
from bot.storage.rate_limits import TokenRate
from bot.token_bucket import TokenBucket

T = TypeVar("T")
log = structlog.get_logger()

COUNTED = ("send", "edit", "copy", "forward")
"""Methods with these prefixes put a message into a chat and count; reads and answers to buttons do not."""

NOT_COUNTED = ("sendChatAction",)

IDEMPOTENT = (
    "edit", "get", "answer", "delete", "set", "sendChatAction",
)  # fmt: skip
"""Methods with these prefixes may be repeated after an unclear failure: a second call changes nothing more."""

UNIMPORTANT = ("setMessageReaction",)
"""Methods that are tried once and wait for nothing. They take from the overall limit; the caller asks
`has_spare` before. A flood error of theirs delays no message: it is raised."""

MAX_ATTEMPTS = 6
FIRST_RETRY_SECONDS = 0.3
MAX_RETRY_AFTER = 300.0
MAX_CHATS = 10_000
SPARE_SHARE = 0.5
"""A message of low priority is sent only while at least this share of the overall burst is left."""

SHARED_LIMITS_TIMEOUT = 2.0
"""Seconds to wait for the limits that processes share; then a message is sent by this process's limits alone."""


class SharedLimits(Protocol):
    """Token buckets that all processes with the same bot token take from."""

    async def take(self, rates: Sequence[TokenRate]) -> float:
        """Take one token of each bucket; returns the seconds to wait until all of them are there."""
        ...

    async def pause(self, rate: TokenRate, seconds: float) -> None:
        """Give out no token of a bucket for so long."""
        ...

    async def share(self, rate: TokenRate) -> float:
        """How full a bucket is: 1 full, 0 or less empty."""
        ...


class FloodLimiter(BaseRateLimiter[None]):
    """Delays requests as the flood limits require, and repeats idempotent ones after network errors.

    Args:
        overall: Messages a second.
        per_chat: Messages a second in one private chat.
        chat_burst: Messages that may follow one another at once in one private chat.
        per_group_minute: Messages a minute in one group.
        shared_limits: Limits shared with other processes. While they do not answer, this process's own limits apply.
        message_ids: Records the ids of the messages that are sent and received; None: they are not recorded.
        on_chat_moved: Called with the old and the new id of a group that became a supergroup, before the error is
            raised.
    """

    def __init__(
        self,
        *,
        overall: float = 28,
        per_chat: float = 1,
        chat_burst: float = 5,
        per_group_minute: float = 19,
        shared_limits: SharedLimits | None = None,
        message_ids: MessageIds | None = None,
        on_chat_moved: Callable[[int, int], Awaitable[None]] | None = None,
    ) -> None:
        self._overall = TokenBucket(overall, overall)
        self._overall_rate = TokenRate("all", overall, overall)
        self._per_chat = (per_chat, chat_burst)
        self._per_group = (per_group_minute / 60, per_group_minute / 3)
        self._chats: OrderedDict[object, TokenBucket] = OrderedDict()
        self._shared_limits = shared_limits
        self._message_ids = message_ids
        self._on_chat_moved = on_chat_moved

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, bool | JSONDict | list[JSONDict]]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> bool | JSONDict | list[JSONDict]:
        """Make one request as soon as the limits allow, and again after a flood error or a network error."""
        if endpoint in UNIMPORTANT:
            await self._take_overall()
            return await callback(*args, **kwargs)
        counts = endpoint.startswith(COUNTED) and endpoint not in NOT_COUNTED
        idempotent = endpoint.startswith(IDEMPOTENT)
        chat = data.get("chat_id")
        for attempt in range(1, MAX_ATTEMPTS + 1):
            if counts:
                await self._wait(chat)
            try:
                answer = await callback(*args, **kwargs)
            except RetryAfter as error:
                pause = retry_after_seconds(error)
                log.info("telegram_flood_limit", method=endpoint, retry_after=pause)
                if pause > MAX_RETRY_AFTER:
                    raise
                await self._pause(chat, pause)
                if not counts:
                    await asyncio.sleep(pause)
            except ChatMigrated as error:
                if self._on_chat_moved is not None and isinstance(chat, int):
                    await self._on_chat_moved(chat, error.new_chat_id)
                raise
            except (TimedOut, NetworkError) as error:
                if isinstance(error, TelegramBadRequest) or not idempotent or attempt == MAX_ATTEMPTS:
                    raise
                log.info("telegram_request_failed", method=endpoint, attempt=attempt, reason=type(error).__name__)
                await asyncio.sleep(FIRST_RETRY_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
            else:
                self._record_ids(answer)
                return answer
        raise TimedOut("the flood limit did not end")

    def delay(self, chat: int) -> float:
        """Seconds until this process's limit for the chat lets a message through; the overall limit is not counted."""
        bucket = self._chats.get(chat)
        return bucket.delay(asyncio.get_running_loop().time()) if bucket is not None else 0.0

    async def has_spare(self) -> bool:
        """Whether a message of low priority, such as an announcement, may be sent now."""
        share = self._overall.share(asyncio.get_running_loop().time())
        if self._shared_limits is not None:
            share = min(share, await self._call_shared(self._shared_limits.share(self._overall_rate), default=share))
        return share >= SPARE_SHARE

    def _record_ids(self, answer: bool | JSONDict | list[JSONDict]) -> None:
        """Record the ids of the messages in an answer: sent ones, and those in updates."""
        if self._message_ids is None:
            return
        for item in answer if isinstance(answer, list) else [answer]:
            if isinstance(item, dict):
                message = item.get("message", item)
                if "message_id" in message and "chat" in message:
                    self._message_ids.add(message["chat"]["id"], message["message_id"])

    async def _wait(self, chat: object) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        wait = max(self._overall.reserve(now), self._bucket(chat).reserve(now) if chat is not None else 0.0)
        if self._shared_limits is not None:
            rates = [self._overall_rate, *([self._token_rate(chat)] if chat is not None else [])]
            shared = await self._call_shared(self._shared_limits.take(rates), default=0.0)
            wait = max(wait - (loop.time() - now), shared)
        if wait > 0:
            await asyncio.sleep(wait)

    async def _take_overall(self) -> None:
        """Take a token of the overall limit, without waiting for it."""
        self._overall.reserve(asyncio.get_running_loop().time())
        if self._shared_limits is not None:
            await self._call_shared(self._shared_limits.take([self._overall_rate]), default=0.0)

    async def _pause(self, chat: object, seconds: float) -> None:
        self._bucket(chat).pause(asyncio.get_running_loop().time(), seconds)
        if self._shared_limits is not None and chat is not None:
            await self._call_shared(self._shared_limits.pause(self._token_rate(chat), seconds), default=None)

    async def _call_shared(self, call: Awaitable[T], *, default: T) -> T:
        """Call the shared limits; the default if they fail: answers to people do not depend on the database."""
        try:
            async with asyncio.timeout(SHARED_LIMITS_TIMEOUT):
                return await call
        except Exception as error:  # noqa: BLE001 -- after any failure this process's own limits still apply
            log.warning("shared_limits_failed", reason=type(error).__name__)
            return default

    def _token_rate(self, chat: object) -> TokenRate:
        return TokenRate(str(chat), *self._rate_and_burst(chat))

    def _rate_and_burst(self, chat: object) -> tuple[float, float]:
        is_group = isinstance(chat, str) or (isinstance(chat, int) and chat < 0)
        return self._per_group if is_group else self._per_chat

    def _bucket(self, chat: object) -> TokenBucket:
        if chat not in self._chats:
            self._chats[chat] = TokenBucket(*self._rate_and_burst(chat))
            self._forget_full_buckets()
        self._chats.move_to_end(chat)
        return self._chats[chat]

    def _forget_full_buckets(self) -> None:
        now = asyncio.get_running_loop().time()
        while len(self._chats) > MAX_CHATS:
            chat, bucket = next(iter(self._chats.items()))
            if not bucket.is_full(now):
                break
            del self._chats[chat]


def retry_after_seconds(error: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    pause = error.retry_after
    return float(pause) if isinstance(pause, int | float) else pause.total_seconds()
