"""One person sends many photos while all workers are busy; measures when another person's photo starts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import all_answered, check_once, send_photos
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(160, 120)))
FLOODER, BUSY, OTHER = 1, 2, 3


@dataclass(frozen=True, slots=True)
class FloodReport:
    """How a flood affected the others.

    Attributes:
        started_after: Seconds from the first free worker to the start of the other person's photo.
        flooded_before: How many of the flood's photos were answered before the other person's.
        in_order: Whether the flood's photos were answered in the order in which they were sent.
    """

    started_after: float
    flooded_before: int
    in_order: bool


async def flood(server: TelegramServer, cloud: CloudStandIn, *, photos: int) -> FloodReport:
    """Flood a bot that has two workers; returns once all photos are answered, each once."""
    telegram, loop = server.telegram, asyncio.get_running_loop()
    flooder, busy, other = (Talk(telegram, number) for number in (FLOODER, BUSY, OTHER))
    free_at: list[float] = []
    begun_at: list[float] = []
    answered: list[tuple[int, int]] = []

    async def listen() -> None:
        async for event in telegram.events.follow(telegram.events.last):
            if event.kind == "action" and event.chat == OTHER:
                begun_at.append(loop.time())
            if event.kind == "message" and event.data["from"]["is_bot"] and "photo" in event.data:
                free_at.append(loop.time())
                answered.append((event.chat, event.data["reply_to_message"]["message_id"]))
                if len(answered) == photos + 2:
                    return

    listening = asyncio.create_task(listen())
    with cloud.holding():
        held = await send_photos([busy], 1, PHOTO)
        await cloud.wait_for_calls(1)
        flooding = await send_photos([flooder], photos, PHOTO)
        await cloud.wait_for_calls(2)  # both workers are busy now
        waiting = await send_photos([other], 1, PHOTO)
        await telegram.events.wait_until(lambda: other.person.answers)
        assert not begun_at
    await all_answered([*held, *waiting, *flooding], seconds=60 + 5 * photos)
    await asyncio.wait_for(listening, 60)
    check_once([*held, *waiting, *flooding])
    theirs = [message for chat, message in answered if chat == FLOODER]
    before = answered[: [chat for chat, _ in answered].index(OTHER)]
    return FloodReport(
        started_after=begun_at[0] - free_at[0],
        flooded_before=sum(chat == FLOODER for chat, _ in before),
        in_order=theirs == [message["message_id"] for _, message in flooding],
    )
