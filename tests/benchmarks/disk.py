"""200 masks of noise (4.9 MB each) that five people send and cancel: how much DATA_DIR grows."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

import aiohttp

from bot.playground import TelegramServer
from tests.mask_flood import MaskSender, bytes_in, noise_png
from tests.support import Talk, running_bot, settings_for

PEOPLE, EACH = 5, 40
"""The API lets a person send 40 masks at once, then two a second."""


async def measure() -> list[str]:
    """The table's lines."""
    statuses: Counter[int] = Counter()
    sent_bytes = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with TelegramServer() as server, aiohttp.ClientSession() as web:
            settings = settings_for(server, folder, public_url="https://photos.example.org")
            async with running_bot(settings, server.telegram):
                senders = [MaskSender(Talk(server.telegram, 700 + number), settings) for number in range(PEOPLE)]
                png = noise_png(1)
                for sender in senders:
                    await sender.open(web)
                    await sender.send_and_cancel(web, png)  # the photo is in the cache from now on
                before, begun = bytes_in(folder), time.perf_counter()
                largest = before
                for _ in range(EACH):
                    for sender in senders:
                        sent_bytes += len(png)
                        statuses[await sender.send_and_cancel(web, png)] += 1
                    largest = max(largest, bytes_in(folder))
                seconds = time.perf_counter() - begun
                after = bytes_in(folder)
            stopped = bytes_in(folder)
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))
    row = f"{sent_bytes / 1e6:.0f} MB in {seconds:.0f} s | {answers} | {(largest - before) / 1e6:+.1f} MB"
    return [
        "| sent | answers | DATA_DIR at most | at the end | after a stop |",
        "|---|---|---|---|---|",
        f"| {row} | {(after - before) / 1e6:+.1f} MB | {(stopped - before) / 1e6:+.1f} MB |",
    ]


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
