"""One person after the other sends masks of noise over the Mini App's API and cancels each edit."""

from __future__ import annotations

import contextlib
import io
import secrets
from pathlib import Path

import aiohttp
import numpy as np
from PIL import Image

from bot.playground import mini_app
from bot.playground.person import Upload
from bot.settings import Settings
from tests.support import Talk, encoded, scene

SIDE = 2210
"""Pixels: the PNG of such a mask of 8-bit noise takes 4.9 MB."""


def noise_png(seed: int, side: int = SIDE) -> bytes:
    """A mask of noise, which no PNG compresses."""
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def bytes_in(folder: Path) -> int:
    """Bytes of all files in a data folder, without the scratch files of jobs that run."""
    found = 0
    for path in folder.rglob("*"):
        if "scratch" not in path.parts:
            with contextlib.suppress(FileNotFoundError):  # it was deleted meanwhile
                found += path.stat().st_size if path.is_file() else 0
    return found


class MaskSender:
    """A person with an open canvas.

    Args:
        talk: The person.
        settings: Of the bot.
        side: Of the photo, pixels.
    """

    def __init__(self, talk: Talk, settings: Settings, side: int = SIDE) -> None:
        self._talk = talk
        self._settings = settings
        self._side = side
        self._edit = ""
        self._headers: dict[str, str] = {}
        self._url = f"http://127.0.0.1:{settings.port}/api"

    async def open(self, web: aiohttp.ClientSession) -> None:
        """Send a photo with /erase, and open its canvas."""
        photo = encoded(scene(self._side, self._side))
        (sent,) = await self._talk.person.send(Upload(photo), caption="/erase")
        answer = await self._talk.answer_to(sent, settled=False)
        address = answer["reply_markup"]["inline_keyboard"][0][0]["web_app"]["url"]
        self._edit = address.rsplit("edit=", 1)[1]
        data = mini_app.init_data(self._talk.telegram.token, self._talk.person.user)
        async with web.post(f"{self._url}/session", headers={"Authorization": f"tma {data}"}) as session:
            self._headers = {"Authorization": f"Bearer {(await session.json())['token']}"}

    async def send(self, web: aiohttp.ClientSession, png: bytes) -> tuple[int, str]:
        """Submit a mask as a new one; returns the status, and the id of its edit or the code of the refusal."""
        headers = {**self._headers, "Content-Type": "image/png", "Idempotency-Key": secrets.token_hex(8)}
        async with web.post(f"{self._url}/edits/{self._edit}/mask", data=io.BytesIO(png), headers=headers) as sent:
            body = await sent.json()
        return sent.status, str(body.get("id") or body.get("error"))

    async def send_and_cancel(self, web: aiohttp.ClientSession, png: bytes) -> int:
        """Send a mask, and cancel the edit that it starts; returns the first status that is not 2xx, else 204."""
        status, edit = await self.send(web, png)
        if status != 202:
            return status
        async with web.post(f"{self._url}/edits/{edit}/cancel", headers=self._headers) as cancelled:
            return cancelled.status
