"""Keeps the bot within Telegram's flood limits, and through its hiccups; waits, and never drops.

Limits (telegram.constants.FloodLimit, facts/telegram.md): about 30 messages a second overall, 1 a second in one chat
(short bursts pass), 20 a minute in one group; edits count as messages. The exact rules are Telegram's secret, so its
own ``retry_after`` has the last word.
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
from telegram.error import NetworkError, RetryAfter, TimedOut
from telegram.ext import BaseRateLimiter

from bot.chat.api.message_ids import MessageIds
from bot.storage.rate_limits import TokenRate

T = TypeVar("T")
log = structlog.get_logger()

MESSAGES = ("send", "edit", "copy", "forward")
"""Methods whose names begin so put something into a chat and count; answers to buttons and reads do not."""

FREE = ("sendChatAction",)

REPEATABLE = (
    "edit", "get", "answer", "delete", "set", "sendChatAction",
)  # fmt: skip
"""Methods that may be repeated after an unclear failure: doing them twice leaves the chat as doing them once."""

TRIES = 6
FIRST_PAUSE = 0.3
LONGEST_RETRY_AFTER = 300.0
CHATS_REMEMBERED = 10_000
PACE_SECONDS = 2.0
"""How long other processes' share is asked for before a message goes out without."""


class Bucket:
    """A token bucket that queues: each taker is told how long to wait, in order of asking.

    Args:
        rate: Tokens a second.
        burst: Tokens that may be taken at once after a pause.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._free_at = float("-inf")
        """The time at which the bucket would be full again."""

    def take(self, now: float) -> float:
        """Take one token; returns the seconds to wait until it is there."""
        full_again = max(self._free_at, now) + 1 / self._rate
        self._free_at = full_again
        return max(0.0, full_again - self._burst / self._rate - now)

    def hold(self, until: float) -> None:
        """Give nothing before then."""
        self._free_at = max(self._free_at, until + (self._burst - 1) / self._rate)

    def is_full(self, now: float) -> bool:
        """Whether it can be forgotten: a new one would behave the same."""
        return self._free_at <= now


class SharedLimits(Protocol):
    """Buckets that other processes with the same token take from, too."""

    async def take(self, rates: Sequence[TokenRate]) -> float:
        """Take one token of each; returns the seconds to wait until all of them are there."""
        ...

    async def pause(self, rate: TokenRate, seconds: float) -> None:
        """Let nobody have a token before then."""
        ...


class FloodLimiter(BaseRateLimiter[None]):
    """Waits before requests as long as the flood limits ask; repeats what failed in passing, if that does no harm.

    Args:
        overall: Messages a second.
        per_chat: Messages a second in one private chat.
        chat_burst: Messages that may follow one another there at once.
        per_group_minute: Messages a minute in one group.
        shared_limits: Limits shared with other processes. While they do not answer, this process keeps to its own.

    Attributes:
        ids: The messages that were seen to come and go.
    """

    def __init__(
        self,
        *,
        overall: float = 28,
        per_chat: float = 1,
        chat_burst: float = 5,
        per_group_minute: float = 19,
        shared_limits: SharedLimits | None = None,
    ) -> None:
        self._overall = Bucket(overall, overall)
        self._overall_rate = TokenRate("all", overall, overall)
        self._per_chat = (per_chat, chat_burst)
        self._per_group = (per_group_minute / 60, per_group_minute / 3)
        self._chats: OrderedDict[object, Bucket] = OrderedDict()
        self._shared_limits = shared_limits
        self.ids = MessageIds()

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
        """Make one request as soon as the limits allow, again where it failed in passing."""
        counts = endpoint.startswith(MESSAGES) and endpoint not in FREE and endpoint != "getUpdates"
        repeatable = endpoint.startswith(REPEATABLE) and endpoint != "getUpdates"
        chat = data.get("chat_id")
        for attempt in range(1, TRIES + 1):
            if counts:
                await self._wait(chat)
            try:
                answer = await callback(*args, **kwargs)
            except RetryAfter as error:
                pause = seconds(error)
                log.info("telegram_flood_limit", method=endpoint, retry_after=pause)
                if pause > LONGEST_RETRY_AFTER:
                    raise
                await self._hold(chat, pause)
                if not counts:
                    await asyncio.sleep(pause)
            except (TimedOut, NetworkError) as error:
                if isinstance(error, TelegramBadRequest) or not repeatable or attempt == TRIES:
                    raise
                log.info("telegram_stumbled", method=endpoint, attempt=attempt, reason=type(error).__name__)
                await asyncio.sleep(FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
            else:
                self._note(answer)
                return answer
        raise TimedOut("the flood limit did not end")

    def _note(self, answer: bool | JSONDict | list[JSONDict]) -> None:
        """Remember the ids of messages that are sent or come in."""
        for item in answer if isinstance(answer, list) else [answer]:
            if isinstance(item, dict):
                message = item.get("message", item)
                if "message_id" in message and "chat" in message:
                    self.ids.meet(message["chat"]["id"], message["message_id"])

    async def _wait(self, chat: object) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        wait = max(self._overall.take(now), self._bucket(chat).take(now) if chat is not None else 0.0)
        if self._shared_limits is not None:
            rates = [self._overall_rate, *([self._rate(chat)] if chat is not None else [])]
            shared = await self._ask(self._shared_limits.take(rates), otherwise=0.0)
            wait = max(wait - (loop.time() - now), shared)
        if wait > 0:
            await asyncio.sleep(wait)

    async def _hold(self, chat: object, pause: float) -> None:
        self._bucket(chat).hold(asyncio.get_running_loop().time() + pause)
        if self._shared_limits is not None and chat is not None:
            await self._ask(self._shared_limits.pause(self._rate(chat), pause), otherwise=None)

    async def _ask(self, asking: Awaitable[T], *, otherwise: T) -> T:
        """What the shared pace says; a database that is away must not keep people from their answers."""
        try:
            async with asyncio.timeout(PACE_SECONDS):
                return await asking
        except Exception as error:  # noqa: BLE001 -- whatever it is, this process' own buckets hold on
            log.warning("pace_not_shared", reason=type(error).__name__)
            return otherwise

    def _rate(self, chat: object) -> TokenRate:
        return TokenRate(str(chat), *self._measure(chat))

    def _measure(self, chat: object) -> tuple[float, float]:
        is_group = isinstance(chat, str) or (isinstance(chat, int) and chat < 0)
        return self._per_group if is_group else self._per_chat

    def _bucket(self, chat: object) -> Bucket:
        if chat not in self._chats:
            self._chats[chat] = Bucket(*self._measure(chat))
            self._forget()
        self._chats.move_to_end(chat)
        return self._chats[chat]

    def _forget(self) -> None:
        now = asyncio.get_running_loop().time()
        while len(self._chats) > CHATS_REMEMBERED:
            chat, bucket = next(iter(self._chats.items()))
            if not bucket.is_full(now):
                break
            del self._chats[chat]


def seconds(error: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    pause = error.retry_after
    return float(pause) if isinstance(pause, int | float) else pause.total_seconds()
