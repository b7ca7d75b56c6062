"""Pending updates: stored until the bot confirms them, by the next getUpdates or by the webhook's 2xx."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.playground.errors import BotApiError

DEFAULT_KINDS = ("message", "edited_message", "callback_query", "pre_checkout_query")
"""The kinds of updates that a bot receives by default."""

FIRST_PAUSE, MAX_PAUSE = 0.1, 5.0
"""Seconds before an update is posted to the webhook again."""

POST_SECONDS = 60.0


@dataclass(slots=True)
class Webhook:
    """The bot's webhook.

    Attributes:
        url: Its address.
        secret: The value of the secret header.
        connections: Maximum of concurrent requests.
        last_error: The last error, if any.
        last_error_date: When it was; Unix time.
    """

    url: str
    secret: str
    connections: int
    last_error: str | None = None
    last_error_date: int = 0

    def fail(self, error: str) -> None:
        """Remember an error."""
        self.last_error, self.last_error_date = error, int(time.time())


class Updates:
    """The updates that are not confirmed yet.

    Attributes:
        webhook: Where they are posted; None: the bot polls.
        kinds: The kinds that the bot has requested.
        proxies: Replacements in the webhook's address, as an operator's https proxy would make.
    """

    def __init__(self) -> None:
        self.proxies: dict[str, str] = {}
        self._waiting: deque[dict[str, Any]] = deque()
        # Starts at the time, above all ids of an earlier playground, which the bot may have stored.
        self._next = int(time.time())
        self._changed = asyncio.Event()
        self._current_poll: asyncio.Event | None = None
        self._delivering: asyncio.Task[None] | None = None
        self.webhook: Webhook | None = None
        self.kinds: tuple[str, ...] = DEFAULT_KINDS

    @property
    def waiting(self) -> int:
        """Number of updates that are not confirmed."""
        return len(self._waiting)

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Add an update, if the bot has requested its kind."""
        if kind in self.kinds:
            self._next += 1
            self._waiting.append({"update_id": self._next, kind: content})
            self._changed.set()

    @property
    def last(self) -> int:
        """The highest update_id so far."""
        return self._next

    def unconfirmed(self) -> list[dict[str, Any]]:
        """The updates that are not confirmed, in order."""
        return list(self._waiting)

    def restore(self, updates: Sequence[dict[str, Any]], last: int) -> None:
        """Deliver the unconfirmed updates of an earlier process; `last` was its highest update_id."""
        self._waiting.extend(updates)
        self._next = max(self._next, last)

    def repeat(self, update: dict[str, Any]) -> None:
        """Deliver an update again with the same update_id, as Telegram may."""
        self._waiting.appendleft(update)
        self._changed.set()

    async def get(
        self, offset: int | None, limit: int, seconds: float, kinds: Sequence[str] | None
    ) -> list[dict[str, Any]]:
        """Answer getUpdates.

        Raises:
            BotApiError: 409 if a webhook is set, or if a newer getUpdates has replaced this one.
        """
        if self.webhook is not None:
            text = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            raise BotApiError(409, f"Conflict: {text}")
        if kinds is not None:
            self.kinds = tuple(kinds) or DEFAULT_KINDS
        if offset is not None:
            self._confirm(offset)
        if self._current_poll is not None:
            self._current_poll.set()
        superseded = self._current_poll = asyncio.Event()
        ends = asyncio.get_running_loop().time() + min(50.0, seconds)
        while not self._waiting and not superseded.is_set():
            self._changed.clear()
            left = ends - asyncio.get_running_loop().time()
            if left <= 0:
                break
            waits = [asyncio.create_task(self._changed.wait()), asyncio.create_task(superseded.wait())]
            await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        if superseded.is_set():
            text = "terminated by other getUpdates request; make sure that only one bot instance is running"
            raise BotApiError(409, f"Conflict: {text}")
        self._current_poll = None
        return list(self._waiting)[: max(1, min(100, limit))]

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            while len(self._waiting) > -offset:
                self._waiting.popleft()
        while self._waiting and self._waiting[0]["update_id"] < offset:
            self._waiting.popleft()

    async def set_webhook(self, webhook: Webhook | None, kinds: Sequence[str] | None, *, drop: bool) -> None:
        """Answer setWebhook; None: deleteWebhook."""
        await self.close()
        if drop:
            self._waiting.clear()
        if kinds is not None:
            self.kinds = tuple(kinds) or DEFAULT_KINDS
        self.webhook = webhook
        if webhook is not None:
            self._delivering = asyncio.create_task(self._deliver(webhook))

    async def close(self) -> None:
        """Stop posting to the webhook."""
        if self._delivering is not None:
            self._delivering.cancel()
            await asyncio.gather(self._delivering, return_exceptions=True)
            self._delivering = None

    async def _deliver(self, webhook: Webhook) -> None:
        """Post updates until they are confirmed: in order within a chat, concurrently across chats."""
        url = webhook.url
        for address, target in self.proxies.items():
            url = url.replace(address, target, 1)
        chats: defaultdict[Any, asyncio.Lock] = defaultdict(asyncio.Lock)
        free = asyncio.Semaphore(webhook.connections)
        under_way: set[int] = set()
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                for update in list(self._waiting):
                    if update["update_id"] not in under_way:
                        under_way.add(update["update_id"])
                        tasks.create_task(self._post(session, webhook, url, update, chats[_chat_of(update)], free))
                under_way &= {update["update_id"] for update in self._waiting}
                await self._changed.wait()

    async def _post(
        self,
        session: aiohttp.ClientSession,
        webhook: Webhook,
        url: str,
        update: dict[str, Any],
        chat: asyncio.Lock,
        free: asyncio.Semaphore,
    ) -> None:
        pause = FIRST_PAUSE
        async with chat:
            while True:
                async with free:
                    if await _post_once(session, webhook, url, update):
                        break
                await asyncio.sleep(pause)
                pause = min(MAX_PAUSE, 2 * pause)
        if update in self._waiting:
            self._waiting.remove(update)


async def _post_once(session: aiohttp.ClientSession, webhook: Webhook, url: str, update: dict[str, Any]) -> bool:
    headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
    try:
        timeout = aiohttp.ClientTimeout(total=POST_SECONDS)
        async with session.post(url, json=update, headers=headers, timeout=timeout) as answer:
            if 200 <= answer.status < 300:
                return True
            webhook.fail(f"Wrong response from the webhook: {answer.status}")
    except (aiohttp.ClientError, TimeoutError) as error:
        webhook.fail(f"Connection failed: {type(error).__name__}")
    return False


def _chat_of(update: dict[str, Any]) -> Any:
    content = update.get("message") or update.get("edited_message") or update.get("callback_query", {}).get("message")
    return content["chat"]["id"] if content else f"update:{update['update_id']}"
