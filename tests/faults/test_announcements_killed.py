"""An announcement through kills at any moment: each person gets it at most once, and a kill loses at most one."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.playground import TelegramServer
from tests.chat.announcing import announce, ask_to_announce, ended, got, write_in_private
from tests.faults.bots import BotProcess, bare_environment
from tests.faults.postgres import PostgresServer
from tests.support import Talk

ADMIN = 900
PEOPLE = 30


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, server: TelegramServer, tmp_path: Path) -> Callable[[], dict[str, str]]:
    changes: dict[str, Any] = {"ADMINS": ADMIN, "WORKERS": 1}
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        changes["DATABASE_URL"] = postgres.new_database()
    return lambda: bare_environment(server, tmp_path, **changes)


def counts(line: str) -> dict[str, int]:
    """The numbers of an announcement's last line."""
    words = line.replace("Done. ", "").replace("\n", " ").split(". ")
    pairs = (word.rstrip(".").split(": ") for word in words if ": " in word)
    return {name.lower(): int(number) for name, number in pairs}


async def test_killed_again_and_again_in_the_middle(
    server: TelegramServer, settings: Callable[[], dict[str, str]]
) -> None:
    dice, kills = random.Random(12), 2
    bot, admin = BotProcess(server.telegram, settings()), Talk(server.telegram, ADMIN)
    talks = [Talk(server.telegram, number) for number in range(1, PEOPLE + 1)]
    try:
        await bot.start()
        await write_in_private(talks)
        panel = await announce(admin)
        for _ in range(kills):
            enough = sum(map(got, talks)) + dice.randrange(2, 8)
            await server.telegram.events.wait_until(lambda enough=enough: sum(map(got, talks)) >= enough)
            await bot.kill()
            await bot.start()
        said = counts(await ended(admin, panel, seconds=120))
        times = [got(talk) for talk in talks]
        assert max(times) == 1, "at most once each"
        unclear = said.get("not known", 0)
        assert said["sent"] + unclear == PEOPLE, said
        assert said["sent"] <= sum(times) <= said["sent"] + unclear
        assert unclear <= kills, "one person a kill at most"
    finally:
        await bot.kill()


async def test_killed_between_telegrams_acceptance_and_our_record(
    server: TelegramServer, settings: Callable[[], dict[str, str]]
) -> None:
    bot, admin = BotProcess(server.telegram, settings()), Talk(server.telegram, ADMIN)
    talks = [Talk(server.telegram, number) for number in (1, 2, 3)]
    try:
        await bot.start()
        await write_in_private(talks)
        question = await ask_to_announce(admin)
        sends = server.telegram.calls["sendMessage"]
        server.telegram.faults.plan("hang", "sendMessage")
        await admin.person.press_labelled(question["message_id"], "Send to")
        await server.telegram.events.wait_until(lambda: server.telegram.calls["sendMessage"] > sends)
        await bot.kill()
        server.telegram.faults.release()  # Telegram executes the request; its answer is lost
        await server.telegram.events.wait_until(lambda: any(map(got, talks)))
        await bot.start()
        said = counts(await ended(admin, question["message_id"], seconds=120))
        assert said == {"sent": 2, "blocked me": 0, "failed": 0, "not known": 1}
        assert [got(talk) for talk in talks] == [1, 1, 1]
    finally:
        await bot.kill()


async def test_stopped_by_sigterm_everybody_gets_it(server: TelegramServer, tmp_path: Path) -> None:
    bot, admin = (
        BotProcess(server.telegram, bare_environment(server, tmp_path, ADMINS=ADMIN, WORKERS=1)),
        Talk(server.telegram, ADMIN),
    )
    talks = [Talk(server.telegram, number) for number in range(1, 16)]
    try:
        await bot.start()
        await write_in_private(talks)
        panel = await announce(admin)
        await server.telegram.events.wait_until(lambda: sum(map(got, talks)) >= 4)
        assert await bot.terminate() == 0
        await bot.start()
        assert await ended(admin, panel, seconds=120) == "Done. Sent: 15. Blocked me: 0. Failed: 0."
        assert [got(talk) for talk in talks] == [1] * 15
    finally:
        await bot.kill()


async def test_telegram_is_down_for_a_while(server: TelegramServer, tmp_path: Path) -> None:
    bot, admin = (
        BotProcess(server.telegram, bare_environment(server, tmp_path, ADMINS=ADMIN, WORKERS=1)),
        Talk(server.telegram, ADMIN),
    )
    talks = [Talk(server.telegram, number) for number in range(1, 13)]
    try:
        await bot.start()
        await write_in_private(talks)
        question = await ask_to_announce(admin)
        server.telegram.faults.plan("bad_gateway", "sendMessage", times=1)
        server.telegram.faults.plan("bad_gateway", "getMe", times=7)
        await admin.person.press_labelled(question["message_id"], "Send to")
        said = counts(await ended(admin, question["message_id"], seconds=120))
        assert said == {"sent": 11, "blocked me": 0, "failed": 0, "not known": 1}, "one person, not all the others"
        assert sum(map(got, talks)) == 11
    finally:
        await bot.kill()
