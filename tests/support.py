"""Shared by several folders of tests: the whole bot against the stand-in for Telegram, and pictures."""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bot import process
from bot.edits.records.store import Store
from bot.imaging.turns import Turns
from bot.playground import Person, Telegram, TelegramServer
from bot.settings import Settings
from tests.cloud.standin import CloudStandIn

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos"
"""Real photos; not every checkout has them."""


def free_port() -> int:
    """A port that is not in use."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def settings_for(server: TelegramServer, folder: Path, **changes: Any) -> Settings:
    """Settings of a bot that talks to the stand-in."""
    values: dict[str, Any] = {
        "telegram_bot_token": server.telegram.token,
        "telegram_api_url": server.url,
        "data_dir": folder,
        "port": free_port(),
        "engine": "local",
        "models": "off",
        "workers": 2,
    }
    return Settings(_env_file=None, **{**values, **changes})


def with_cloud(cloud: CloudStandIn, engine: str = "volcengine") -> dict[str, Any]:
    """The settings that make a bot use the stand-in for the cloud."""
    return {
        "engine": engine,
        "volc_accesskey": cloud.keys.access_key,
        "volc_secretkey": cloud.keys.secret_key,
        "volc_session_token": cloud.keys.session_token or None,
        "volc_endpoint": cloud.url,
    }


@contextlib.asynccontextmanager
async def running_bot(settings: Settings, telegram: Telegram) -> AsyncIterator[None]:
    """The whole bot, as `python -m bot run` runs it, until the block ends."""
    stop = asyncio.Event()
    before = telegram.calls["setMyShortDescription"]
    running = asyncio.create_task(process.run(settings, stop=stop, say=lambda _text: None))
    registered = asyncio.create_task(
        telegram.events.wait_until(lambda: telegram.calls["setMyShortDescription"] >= before + 3, seconds=60)
    )
    await asyncio.wait({running, registered}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        registered.cancel()
        running.result()
    await registered
    try:
        yield
    finally:
        stop.set()
        await running


def record_turns(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The persons whose pixel jobs ask for a turn from now on, in order; a job of no person is another object."""
    asked: list[object] = []
    acquire = Turns._acquire

    async def recorded(turns: Turns, key: object) -> None:
        asked.append(key)
        await acquire(turns, key)

    monkeypatch.setattr(Turns, "_acquire", recorded)
    return asked


async def seen(store: Store, person: int) -> None:
    """A person has just written in the private chat."""
    store.people.mark_seen(person)
    await store.people.write_seen()


class Talk:
    """A person's private chat with the bot."""

    def __init__(self, telegram: Telegram, number: int, language: str | None = "en") -> None:
        self.telegram = telegram
        self.person = Person(telegram, number, language=language)

    async def answer_to(self, message: dict[str, Any], *, settled: bool = True, seconds: float = 60) -> dict[str, Any]:
        """The bot's reply to a message; with `settled`, once it is final: a picture, or a text without Cancel."""

        def found() -> dict[str, Any] | None:
            for answer in self.person.answers:
                quoted = answer.get("reply_to_message", {}).get("message_id")
                if quoted == message["message_id"] and not (settled and is_working(answer)):
                    return answer
            return None

        await self.telegram.events.wait_until(found, seconds=seconds)
        answer = found()
        assert answer is not None
        return answer

    def answers_to(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """All the bot's replies to a message."""
        number = message["message_id"]
        return [a for a in self.person.answers if a.get("reply_to_message", {}).get("message_id") == number]

    async def settles(self, message_id: int, *, seconds: float = 60) -> dict[str, Any]:
        """A message of the bot, once it is final."""
        chat = self.person.chat
        await self.telegram.events.wait_until(lambda: not is_working(chat.messages[message_id]), seconds=seconds)
        return chat.messages[message_id]

    async def told(self, query: str) -> str | None:
        """What the bot answers to a pressed button; None: nothing in words."""

        def answers() -> list[dict[str, Any]]:
            return [e.data for e in self.telegram.events.after(0) if e.kind == "answer" and e.data["id"] == query]

        await self.telegram.events.wait_until(answers)
        text = answers()[0]["text"]
        return str(text) if text is not None else None

    def picture(self, message: dict[str, Any]) -> Image.Image:
        """A message's picture in its largest size, or its file."""
        file_id = message["photo"][-1]["file_id"] if "photo" in message else message["document"]["file_id"]
        image = Image.open(io.BytesIO(self.telegram.files.get(file_id).data))
        image.load()
        return image


def is_working(message: dict[str, Any]) -> bool:
    """Whether a message of the bot is a status message of a running edit."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    data = [button.get("callback_data", "") for row in rows for button in row]
    return any(item.endswith(":cancel") for item in data)


def most_at_a_time(talk: Talk, chat: int) -> int:
    """How many status messages of edits that wait or run stood in a chat at the same time, at most."""
    standing: set[int] = set()
    most = 0
    for event in talk.telegram.events.after(0):
        if event.chat != chat or event.kind not in ("message", "deleted"):
            continue
        number = event.data["message_id"]
        if event.kind == "message" and is_working(event.data):
            standing.add(number)
        else:
            standing.discard(number)
        most = max(most, len(standing))
    return most


def scene(width: int = 320, height: int = 240, *, seed: int = 7) -> Image.Image:
    """A red block on noisy blue-grey: any segmentation finds it."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), (90, 110, 140), np.uint8)
    pixels += rng.integers(0, 12, size=pixels.shape, dtype=np.uint8)
    pixels[height // 3 : height * 2 // 3, width // 3 : width * 2 // 3] = (210, 40, 30)
    return Image.fromarray(pixels)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """An image's bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
