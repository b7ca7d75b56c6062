"""What the intake confirms, and what it handles again after an outage."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from telegram import Chat, Message, PreCheckoutQuery, Update, User

from bot.chat.updates.intake import MAX_CONCURRENT_UPDATES, Intake, UpdateOutcome
from bot.errors import OutageError

LAST = 10_000


def update(number: int, chat: int) -> Update:
    person = User(chat, "Ada", is_bot=False)
    return Update(number, message=Message(number, date=None, chat=Chat(chat, "private"), from_user=person))  # type: ignore[arg-type]


class Handlers:
    """An application that records what it handles, and fails for some updates."""

    def __init__(self, failures: dict[int, Exception]) -> None:
        self.down: set[int] = set()
        self.handled: list[int] = []
        self.failures = failures

    async def process_update(self, update: Update) -> None:
        self.handled.append(update.update_id)
        if update.update_id in self.down:
            self.failures[update.update_id] = OutageError("something-broke")


async def test_after_an_outage_only_what_was_not_recorded_is_handled_again() -> None:
    services: Any = SimpleNamespace(failures={})
    handlers = Handlers(services.failures)
    intake = Intake(handlers, services)  # type: ignore[arg-type]
    updates = [update(1, chat=10), update(2, chat=20), update(3, chat=30)]
    handlers.down = {2}

    assert await intake.handle_all(updates) == 2, "the second has to come again"
    for _ in range(30):
        assert await intake.handle_all(updates[1:]) == 2
    handlers.down = set()
    assert await intake.handle_all(updates[1:]) is None

    assert handlers.handled.count(1) == 1
    assert handlers.handled.count(3) == 1, "what came beside it is not handled again"
    assert handlers.handled.count(2) == 32


async def test_an_update_that_comes_twice_is_handled_once() -> None:
    services: Any = SimpleNamespace(failures={})
    handlers = Handlers(services.failures)
    intake = Intake(handlers, services)  # type: ignore[arg-type]
    for _ in range(2):
        assert await intake.handle(update(1, chat=10)) is UpdateOutcome.HANDLED
    assert handlers.handled == [1]


async def test_a_pre_checkout_query_waits_for_nobody() -> None:
    services: Any = SimpleNamespace(failures={})
    asked, stuck = asyncio.Event(), asyncio.Event()

    class Stuck:
        """An application whose handlers hang, but for one pre-checkout query, until that one was handled."""

        async def process_update(self, update: Update) -> None:
            if update.update_id == LAST:
                asked.set()
            else:
                stuck.set()
                await asked.wait()

    intake = Intake(Stuck(), services)  # type: ignore[arg-type]
    buyer = User(1, "Ada", is_bot=False)
    queries = [
        Update(number, pre_checkout_query=PreCheckoutQuery(str(number), buyer, "XTR", 25, "pack"))
        for number in (LAST - 1, LAST)
    ]
    others = [update(number, chat=number) for number in range(1, MAX_CONCURRENT_UPDATES + 50)]
    async with asyncio.timeout(10):
        assert await intake.handle_all([*others, *queries]) is None
    assert stuck.is_set()
