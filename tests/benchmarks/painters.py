"""50 people paint on the canvas; how long their requests take, alone and beside 1,000 hostile requests.

The engine does nothing, and Telegram's flood limits are lifted: what is measured is the way to the canvas and back.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import multiprocessing
import os
import secrets
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from bot.imaging.encoding import encode_mask
from bot.playground import TelegramServer, mini_app
from bot.playground.person import Upload
from tests.faults.bots import BotProcess, bare_environment
from tests.support import Talk, encoded, scene

PAINTERS, HOSTILE = 50, 1000
SIZE = (640, 480)
SPREAD, PAINTING = 15.0, 5.0
"""Seconds within which the painters come, and how long each paints before the mask is sent."""


async def _painter(url: str, talk: Talk, token: str, seconds: list[float], after: float) -> None:
    """Open the canvas, load the photo, paint, and send the mask, as the page does."""
    init_data = mini_app.init_data(token, talk.person.user)
    address = {"X-Forwarded-For": f"198.51.{talk.person.id // 250}.{talk.person.id % 250}"}
    edit = _edit_of(talk)
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    mask[200:260, 180:300] = 255

    async with aiohttp.ClientSession() as web:

        async def request(method: str, path: str, headers: dict[str, str], data: bytes | None = None) -> bytes:
            begun = time.perf_counter()
            async with web.request(method, f"{url}{path}", headers={**address, **headers}, data=data) as answer:
                assert answer.status < 300, (path, answer.status)
                body = await answer.read()
            seconds.append(time.perf_counter() - begun)
            return body

        await asyncio.sleep(after)
        opened = json.loads(await request("POST", "/api/session", {"Authorization": f"tma {init_data}"}))
        session = {"Authorization": f"Bearer {opened['token']}"}
        await request("GET", f"/api/edits/{edit}", session)
        await request("GET", f"/api/edits/{edit}/photo", session)
        await asyncio.sleep(PAINTING)
        png = {**session, "Content-Type": "image/png", "Idempotency-Key": secrets.token_hex(8)}
        await request("POST", f"/api/edits/{edit}/mask", png, encode_mask(mask))


def _edit_of(talk: Talk) -> str:
    rows = talk.person.answers[-1]["reply_markup"]["inline_keyboard"]
    (url,) = [button["web_app"]["url"] for row in rows for button in row if "web_app" in button]
    return str(url).partition("edit=")[2]


async def _attack(url: str, token: str) -> None:
    """Hostile requests, with a session and without one: forged sessions, foreign ids, bombs, broken masks."""
    attacker = {"id": 666_666, "is_bot": False, "first_name": "M"}
    async with aiohttp.ClientSession(headers={"X-Forwarded-For": "203.0.113.9"}) as web:
        headers = {"Authorization": f"tma {mini_app.init_data(token, attacker)}"}
        async with web.post(f"{url}/api/session", headers=headers) as answer:
            session = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        bomb = encode_mask(np.zeros((6000, 8000), np.uint8))
        taps = {"points": [{"x": 1e308, "y": -1, "keep": True}] * 90}
        kinds: list[tuple[str, str, dict[str, Any]]] = [
            ("POST", "/api/session", {"headers": {"Authorization": "tma hash=x"}}),
            ("GET", "/api/edits/unknown", {"headers": session}),
            ("POST", "/api/edits/unknown/mask", {"data": bomb, "headers": {**session, "Content-Type": "image/png"}}),
            ("POST", "/api/edits/unknown/mask", {"data": os.urandom(4_000_000), "headers": session}),
            ("POST", "/api/edits/unknown/select", {"json": taps, "headers": session}),
            ("GET", "/api/edits/unknown/events", {"headers": session}),
            ("GET", "/app/../../etc/passwd", {}),
            ("DELETE", "/telegram/webhook", {}),
        ]
        free = asyncio.Semaphore(40)

        async def send(method: str, path: str, options: dict[str, Any]) -> None:
            async with free:
                try:
                    async with web.request(method, f"{url}{path}", **options) as answer:
                        await answer.read()
                except aiohttp.ClientError:
                    pass  # cut off: that is an answer, too

        requests = itertools.islice(itertools.cycle(kinds), HOSTILE)
        await asyncio.gather(*(send(*request) for request in requests))


def _run_apart(url: str, token: str) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        processes.submit(_attack_alone, url, token).result()


def _attack_alone(url: str, token: str) -> None:
    asyncio.run(_attack(url, token))


async def measure() -> list[str]:
    """The table's lines."""
    lines = ["| | requests | median | p95 |", "|---|---|---|---|"]
    photo = Upload(encoded(scene(*SIZE)))
    with tempfile.TemporaryDirectory() as folder:
        async with TelegramServer() as server:
            settings = bare_environment(
                server, Path(folder), PUBLIC_URL="https://photos.example.org", TRUSTED_PROXIES="127.0.0.1"
            )
            url = f"http://127.0.0.1:{settings['PORT']}"
            bot = BotProcess(server.telegram, settings, module="tests.benchmarks._bare_bot")
            await bot.start()
            try:
                for kind, first in (("alone", 1), ("beside 1,000 hostile requests", 1001)):
                    talks = [Talk(server.telegram, number) for number in range(first, first + PAINTERS)]
                    for talk in talks:
                        (sent,) = await talk.person.send(photo, caption="/erase")
                        await talk.answer_to(sent, settled=False, seconds=120)
                    seconds: list[float] = []
                    token = server.telegram.token
                    moments = np.linspace(0, SPREAD, PAINTERS)
                    work = [
                        _painter(url, talk, token, seconds, float(after))
                        for talk, after in zip(talks, moments, strict=True)
                    ]
                    # In a process of its own: the painters' clock does not stop while the attacker builds requests.
                    attack = [asyncio.to_thread(_run_apart, url, token)] if first > 1 else []
                    await asyncio.gather(*work, *attack)
                    median, p95 = np.percentile(seconds, (50, 95))
                    lines.append(f"| {kind} | {len(seconds)} | {median * 1000:.0f} ms | {p95 * 1000:.0f} ms |")
            finally:
                await bot.kill()
    return lines


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
