"""Updates a second through handlers with one reply each: our transport beside python-telegram-bot's own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from telegram import Update
from telegram.ext import Application, ContextTypes, ExtBot, MessageHandler, filters
from telegram.request import BaseRequest, HTTPXRequest

from bot.chat.transport import AiohttpRequest
from tests.support import free_port

UPDATES, AT_A_TIME, ROUNDS = 3000, 256, 3


async def _reply(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    message = update.effective_message
    assert message is not None
    await message.get_bot().send_message(message.chat.id, "ok")


def _update(number: int, bot: ExtBot[None]) -> Update:
    chat = {"id": number % 500 + 1, "type": "private", "first_name": "A"}
    sender = {"id": chat["id"], "is_bot": False, "first_name": "A"}
    message = {"message_id": number, "date": 1, "chat": chat, "from": sender, "text": "hello"}
    update = Update.de_json({"update_id": number, "message": message}, bot)
    assert update is not None
    return update


async def _rate(url: str, request: BaseRequest, polling: BaseRequest) -> float:
    bot = ExtBot("1:A", base_url=f"{url}/bot", request=request, get_updates_request=polling)
    application: Any = Application.builder().bot(bot).updater(None).job_queue(None).build()
    application.add_handler(MessageHandler(filters.ALL, _reply))
    async with application:
        updates = [_update(number, bot) for number in range(1, UPDATES + 1)]
        free = asyncio.Semaphore(AT_A_TIME)

        async def handle(update: Update) -> None:
            async with free:
                await application.process_update(update)

        begun = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for update in updates:
                tasks.create_task(handle(update))
        return UPDATES / (time.perf_counter() - begun)


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
    best = {"ours (aiohttp)": 0.0, "python-telegram-bot's default (httpx)": 0.0}
    with _echo() as url:
        await _until_up(url)
        for _ in range(ROUNDS):
            ours = await _rate(url, AiohttpRequest(connections=100), AiohttpRequest(connections=1))
            theirs = await _rate(url, HTTPXRequest(connection_pool_size=256, pool_timeout=120), HTTPXRequest())
            for name, rate in zip(best, (ours, theirs), strict=True):
                best[name] = max(best[name], rate)
    return [
        "| transport | updates a second |",
        "|---|---|",
        *(f"| {name} | {rate:.0f} |" for name, rate in best.items()),
    ]


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
