"""Updates on their way to the bot: kept until it confirms them, by the next getUpdates or by the webhook's 200."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.playground.refusals import RefusedError

DEFAULT_KINDS = ("message", "edited_message", "callback_query")
"""Of the kinds that exist here, those that a bot gets unless it says otherwise."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds before an update that the webhook did not take is posted again."""

POST_SECONDS = 60.0


@dataclass(slots=True)
class Webhook:
    """Where updates are posted.

    Attributes:
        url: The address.
        secret: What goes into the secret header.
        connections: Posts at a time.
        last_error: What went wrong last.
    """

    url: str
    secret: str
    connections: int
    last_error: str | None = None


class Updates:
    """The updates that are not confirmed yet.

    Attributes:
        webhook: Where they are posted, if anywhere.
        kinds: The kinds that the bot asked for.
        proxies: Where addresses really lead: what an operator's proxy does that ends https.
    """

    def __init__(self) -> None:
        self.proxies: dict[str, str] = {}
        self._waiting: deque[dict[str, Any]] = deque()
        # Numbers go on where an earlier playground stopped, at the latest: a bot may remember those.
        self._next = int(time.time())
        self._news = asyncio.Event()
        self._asking: asyncio.Event | None = None
        self._delivering: asyncio.Task[None] | None = None
        self.webhook: Webhook | None = None
        self.kinds: tuple[str, ...] = DEFAULT_KINDS

    @property
    def waiting(self) -> int:
        """How many are not confirmed."""
        return len(self._waiting)

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Something that the bot should know."""
        if kind in self.kinds:
            self._next += 1
            self._waiting.append({"update_id": self._next, kind: content})
            self._news.set()

    def repeat(self, update: dict[str, Any]) -> None:
        """Deliver an update once more under its own number, as Telegram may."""
        self._waiting.appendleft(update)
        self._news.set()

    async def get(
        self, offset: int | None, limit: int, seconds: float, kinds: Sequence[str] | None
    ) -> list[dict[str, Any]]:
        """Answer getUpdates.

        Raises:
            RefusedError: 409, where a webhook is set, or to the older of two who ask at a time.
        """
        if self.webhook is not None:
            text = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            raise RefusedError(409, f"Conflict: {text}")
        if kinds is not None:
            self.kinds = tuple(kinds) or DEFAULT_KINDS
        if offset is not None:
            self._confirm(offset)
        if self._asking is not None:
            self._asking.set()
        ousted = self._asking = asyncio.Event()
        ends = asyncio.get_running_loop().time() + min(50.0, seconds)
        while not self._waiting and not ousted.is_set():
            self._news.clear()
            left = ends - asyncio.get_running_loop().time()
            if left <= 0:
                break
            waits = [asyncio.create_task(self._news.wait()), asyncio.create_task(ousted.wait())]
            await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        if ousted.is_set():
            text = "terminated by other getUpdates request; make sure that only one bot instance is running"
            raise RefusedError(409, f"Conflict: {text}")
        self._asking = None
        return list(self._waiting)[: max(1, min(100, limit))]

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            while len(self._waiting) > -offset:
                self._waiting.popleft()
        while self._waiting and self._waiting[0]["update_id"] < offset:
            self._waiting.popleft()

    async def set_webhook(self, webhook: Webhook | None, kinds: Sequence[str] | None, *, drop: bool) -> None:
        """Answer setWebhook, or deleteWebhook with None."""
        await self.close()
        if drop:
            self._waiting.clear()
        if kinds is not None:
            self.kinds = tuple(kinds) or DEFAULT_KINDS
        self.webhook = webhook
        if webhook is not None:
            self._delivering = asyncio.create_task(self._deliver(webhook))

    async def close(self) -> None:
        """Stop posting."""
        if self._delivering is not None:
            self._delivering.cancel()
            await asyncio.gather(self._delivering, return_exceptions=True)
            self._delivering = None

    async def _deliver(self, webhook: Webhook) -> None:
        """Post updates, one chat's in their order, several chats' at a time, until they are taken."""
        url = webhook.url
        for address, target in self.proxies.items():
            url = url.replace(address, target, 1)
        chats: defaultdict[Any, asyncio.Lock] = defaultdict(asyncio.Lock)
        free = asyncio.Semaphore(webhook.connections)
        under_way: set[int] = set()
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            while True:
                self._news.clear()
                for update in list(self._waiting):
                    if update["update_id"] not in under_way:
                        under_way.add(update["update_id"])
                        tasks.create_task(self._post(session, webhook, url, update, chats[_chat_of(update)], free))
                under_way &= {update["update_id"] for update in self._waiting}
                await self._news.wait()

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
                    if await _taken(session, webhook, url, update):
                        break
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, 2 * pause)
        if update in self._waiting:
            self._waiting.remove(update)


async def _taken(session: aiohttp.ClientSession, webhook: Webhook, url: str, update: dict[str, Any]) -> bool:
    headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
    try:
        timeout = aiohttp.ClientTimeout(total=POST_SECONDS)
        async with session.post(url, json=update, headers=headers, timeout=timeout) as answer:
            if 200 <= answer.status < 300:
                return True
            webhook.last_error = f"Wrong response from the webhook: {answer.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        webhook.last_error = f"Connection failed: {type(error).__name__}"
    return False


def _chat_of(update: dict[str, Any]) -> Any:
    content = update.get("message") or update.get("edited_message") or update.get("callback_query", {}).get("message")
    return content["chat"]["id"] if content else None
