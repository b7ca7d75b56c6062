"""The whole program with no token, as `make run` starts it, in this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from bot import process
from bot.settings import Settings
from tests.support import free_port


@contextlib.asynccontextmanager
async def running_playground(folder: Path, port: int | None = None) -> AsyncIterator[str]:
    """The whole program with no token, until the block ends; gives its address once the bot has introduced itself."""
    settings = Settings(
        _env_file=None,
        telegram_bot_token=None,
        port=port or free_port(),
        data_dir=folder,
        engine="local",
        models="off",
        workers=2,
    )
    stop = asyncio.Event()
    said: list[str] = []
    running = asyncio.create_task(process.run(settings, stop=stop, say=said.append))
    url = f"http://127.0.0.1:{settings.port}"
    try:
        async with asyncio.timeout(60):
            while not running.done() and not await introduced(url):
                await asyncio.wait({running}, timeout=0.05)
        if not running.done():
            assert any(f"{url}/playground" in line for line in said), "the terminal says where to look"
            yield url
    finally:
        stop.set()
        await running


async def introduced(url: str) -> bool:
    """Whether the bot is ready and people's apps know its commands and what it is about, the last thing it tells."""
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
