"""The playground is killed: after a start its chat is there, and the photo is answered, once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from tests.faults.bots import ROOT
from tests.page.program import is_ready
from tests.support import encoded, free_port, scene

SECONDS = 90


@contextlib.asynccontextmanager
async def killed_at_the_end(folder: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """The playground in a process of its own, which is killed at the end of the block; it is ready in the block."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    settings = {"DATA_DIR": str(folder), "PORT": str(port), "ENGINE": "local", "MODELS": "off", "WORKERS": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", cwd=ROOT, env=kept | settings, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await until(process, lambda: is_ready(f"http://127.0.0.1:{port}"))
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def until(process: asyncio.subprocess.Process, condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until a condition holds, as long as the process runs."""
    ending = asyncio.create_task(process.wait())
    try:
        async with asyncio.timeout(SECONDS):
            while not await condition():
                await asyncio.wait({ending}, timeout=0.05)
                assert not ending.done(), "the playground has ended"
    finally:
        ending.cancel()


async def messages(url: str) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/playground/api/chat") as answer:
        found: list[dict[str, Any]] = (await answer.json())["messages"]
        return found


async def test_a_photo_sent_before_the_kill_is_in_the_chat_and_answered_once(tmp_path: Path) -> None:
    port = free_port()
    url, file = f"http://127.0.0.1:{port}", tmp_path / "playground" / "chat.json"
    form = aiohttp.FormData({"text": "/remove_subject", "as": "photo"})
    form.add_field("file", encoded(scene(1200, 900)), filename="photo.jpg", content_type="image/jpeg")
    async with killed_at_the_end(tmp_path, port) as process:
        send = f"{url}/playground/api/messages"
        async with aiohttp.ClientSession() as session, session.post(send, data=form) as answer:
            (sent,) = (await answer.json())["messages"]

        async def is_saved() -> bool:
            return file.exists() and f'"message_id": {sent["message_id"]}' in file.read_text()

        await until(process, is_saved)
    async with killed_at_the_end(tmp_path, port) as process:

        async def is_answered() -> bool:
            return any(m["from"]["is_bot"] and "photo" in m for m in await messages(url))

        await until(process, is_answered)
        found = await messages(url)
        assert found[0] == sent
        assert [m["from"]["is_bot"] for m in found if "photo" in m] == [False, True]
