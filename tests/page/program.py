"""The whole program without a token, as `make run` starts it, in this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp

from bot import process
from bot.chat.updates import not_understood_limit
from bot.settings import Settings
from tests.support import free_port


@contextlib.asynccontextmanager
async def running_playground(folder: Path, port: int | None = None, **changes: Any) -> AsyncIterator[str]:
    """Run the whole program without a token until the block ends; yields its address when the bot is ready.

    `changes` are further settings.
    """
    settings = Settings(
        _env_file=None,
        telegram_bot_token=None,
        port=port or free_port(),
        data_dir=folder,
        engine="local",
        models="off",
        workers=2,
        **changes,
    )
    stop = asyncio.Event()
    lines: list[str] = []
    running = asyncio.create_task(process.run(settings, stop=stop, say=lines.append))
    url = f"http://127.0.0.1:{settings.port}"
    # A module's tests use one chat, and "hello" must be answered in each of them.
    often = mock.patch.object(not_understood_limit, "MAX_REPEATS", 1000)
    often.start()
    try:
        async with asyncio.timeout(60):
            while not running.done() and not await is_ready(url):
                await asyncio.wait({running}, timeout=0.05)
        if not running.done():
            assert any(f"{url}/playground" in line for line in lines), "the terminal shows the address"
            yield url
    finally:
        often.stop()
        stop.set()
        await running


async def is_ready(url: str) -> bool:
    """Whether the bot is ready and has set its commands and its short description, its last start-up call."""
    try:
        async with aiohttp.ClientSession(url) as session:
            async with session.get("/readyz") as ready:
                if ready.status != 200:
                    return False
            async with session.get("/playground/api/chat") as answer:
                chat: dict[str, Any] = await answer.json()
    except aiohttp.ClientConnectionError:
        return False
    return bool(chat["commands"] and chat["about"])
