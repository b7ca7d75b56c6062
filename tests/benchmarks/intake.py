"""Updates a second through handlers with one reply each: ours beside python-telegram-bot's own, and aiogram."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import aiohttp
from telegram import Update
from telegram.ext import Application, ContextTypes, ExtBot, MessageHandler, filters
from telegram.request import BaseRequest, HTTPXRequest

from bot.chat.api.transport import AiohttpRequest
from tests.support import free_port

try:  # a peer, of the benchmarks' own set of packages
    import aiogram
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
except ImportError:
    aiogram = None

T = TypeVar("T")
UPDATES, AT_A_TIME, ROUNDS = 3000, 256, 3


async def _reply(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    message = update.effective_message
    assert message is not None
    await message.get_bot().send_message(message.chat.id, "ok")


def _raw(number: int) -> dict[str, Any]:
    chat = {"id": number % 500 + 1, "type": "private", "first_name": "A"}
    sender = {"id": chat["id"], "is_bot": False, "first_name": "A"}
    return {
        "update_id": number,
        "message": {"message_id": number, "date": 1, "chat": chat, "from": sender, "text": "hi"},
    }


async def _updates_a_second(updates: Sequence[T], process: Callable[[T], Awaitable[object]]) -> float:
    free = asyncio.Semaphore(AT_A_TIME)

    async def handle(update: T) -> None:
        async with free:
            await process(update)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for update in updates:
            tasks.create_task(handle(update))
    return len(updates) / (time.perf_counter() - begun)


async def _rate(url: str, request: BaseRequest, polling: BaseRequest) -> float:
    bot = ExtBot("1:A", base_url=f"{url}/bot", request=request, get_updates_request=polling)
    application: Any = Application.builder().bot(bot).updater(None).job_queue(None).build()
    application.add_handler(MessageHandler(filters.ALL, _reply))
    async with application:
        updates = [Update.de_json(_raw(number), bot) for number in range(1, UPDATES + 1)]
        return await _updates_a_second(updates, application.process_update)


async def _aiogram_rate(url: str) -> float:
    bot = aiogram.Bot("1:A", session=AiohttpSession(api=TelegramAPIServer.from_base(url)))
    dispatcher = aiogram.Dispatcher()

    async def reply(message: aiogram.types.Message) -> None:
        await message.answer("ok")

    dispatcher.message.register(reply)
    updates = [
        aiogram.types.Update.model_validate(_raw(number), context={"bot": bot}) for number in range(1, UPDATES + 1)
    ]
    try:
        return await _updates_a_second(updates, lambda update: dispatcher.feed_update(bot, update))
    finally:
        await bot.session.close()


@contextmanager
def _echo() -> Iterator[str]:
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "tests.benchmarks._echo", str(port)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


async def _until_up(url: str) -> None:
    async with aiohttp.ClientSession() as web:
        while True:
            try:
                async with web.get(f"{url}/getMe"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def measure() -> list[str]:
    """The table's lines; the kinds take turns, and each one's best round counts."""
    best = {"ours (aiohttp)": 0.0, "python-telegram-bot's default (httpx)": 0.0, "aiogram": 0.0}
    with _echo() as url:
        await _until_up(url)
        for _ in range(ROUNDS):
            ours = await _rate(url, AiohttpRequest(connections=100), AiohttpRequest(connections=1))
            theirs = await _rate(url, HTTPXRequest(connection_pool_size=256, pool_timeout=120), HTTPXRequest())
            others = await _aiogram_rate(url) if aiogram else 0.0
            for name, rate in zip(best, (ours, theirs, others), strict=True):
                best[name] = max(best[name], rate)
    return [
        "| transport | updates a second |",
        "|---|---|",
        *(f"| {name} | {f'{rate:.0f}' if rate else 'not installed: make bench'} |" for name, rate in best.items()),
    ]


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
