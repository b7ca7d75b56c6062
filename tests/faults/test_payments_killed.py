"""Kills around payments: each is credited once and announced, each refund is recorded, nothing is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.edits.model import Operation, PhotoRef
from bot.edits.records.limits import EditLimits
from bot.edits.records.payments import Charge
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.errors import PersonError
from bot.packs import Pack
from bot.playground import TelegramServer
from bot.playground.payments import PaymentFailedError
from bot.storage.database import Database
from tests.chat.paying import balance, bot_message, bot_texts, invoice
from tests.faults.bots import BotProcess, bare_environment
from tests.faults.postgres import PostgresServer
from tests.support import Talk

ADMIN, PERSON = 900, 901


ON_BOTH = pytest.mark.parametrize("settings", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def settings(request: pytest.FixtureRequest, server: TelegramServer, tmp_path: Path) -> dict[str, str]:
    changes: dict[str, Any] = {"ADMINS": ADMIN, "WORKERS": 1, "EDITS_PER_DAY": 1, "STARS_PACKS": "2:25"}
    if getattr(request, "param", "sqlite") == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        changes["DATABASE_URL"] = postgres.new_database()
    return bare_environment(server, tmp_path, **changes)


@pytest.fixture
async def bot(server: TelegramServer, settings: dict[str, str]) -> AsyncIterator[BotProcess]:
    Talk(server.telegram, ADMIN)
    bot = BotProcess(server.telegram, settings)
    try:
        await bot.start()
        yield bot
    finally:
        await bot.kill()


@pytest.fixture
def talk(server: TelegramServer) -> Talk:
    return Talk(server.telegram, PERSON)


def thanks(talk: Talk) -> int:
    return sum("Thank you" in message.get("text", "") for message in talk.person.answers)


async def test_killed_once_telegram_has_taken_the_money(bot: BotProcess, talk: Talk) -> None:
    number = await invoice(talk)
    await talk.person.pay(number)  # it ends when the money is taken; the bot may just be getting the update
    await bot.kill()
    await bot.start()
    await bot_message(talk, "Thank you")
    assert await balance(talk) == 2


@ON_BOTH
async def test_killed_before_the_update_of_the_payment_was_confirmed(
    bot: BotProcess, server: TelegramServer, talk: Talk
) -> None:
    number = await invoice(talk)
    server.telegram.faults.plan("hang", "sendMessage")
    message = await talk.person.pay(number)
    await server.telegram.events.wait_until(lambda: server.telegram.faults.injected.get("hang", 0) == 1)
    await bot.kill()  # it is credited, and the message that says so was on its way
    server.telegram.updates.add("message", message)  # as if the update had not been confirmed
    await bot.start()
    await bot_message(talk, "you have 2")
    assert await balance(talk) == 2


@ON_BOTH
async def test_killed_at_random_moments_every_payment_is_credited_once(bot: BotProcess, talk: Talk) -> None:
    dice, paid = random.Random(5), 0
    for _ in range(4):
        number = await invoice(talk)
        paying = asyncio.create_task(talk.person.pay(number))
        await asyncio.wait({paying}, timeout=dice.uniform(0, 0.15))
        await bot.kill()
        await bot.start()
        try:
            await paying
        except PaymentFailedError:  # nothing was charged
            continue
        paid += 1
    charges = [charge for charge in talk.telegram.charges.values() if charge.person == PERSON]
    assert len(charges) == paid
    await talk.telegram.events.wait_until(lambda: thanks(talk) >= paid)
    assert await balance(talk) == 2 * paid


async def test_a_pack_that_is_removed_before_the_checkout_is_not_sold(
    bot: BotProcess, settings: dict[str, str], talk: Talk
) -> None:
    number = await invoice(talk)
    await bot.kill()
    settings["STARS_PACKS"] = "2:50"
    await bot.start()
    with pytest.raises(PaymentFailedError, match="offer has changed"):
        await talk.person.pay(number)
    assert await balance(talk) == 0


async def test_a_pack_that_is_removed_after_it_was_paid_is_given(
    bot: BotProcess, settings: dict[str, str], talk: Talk
) -> None:
    number = await invoice(talk)
    await talk.person.pay(number)
    await bot.kill()
    settings["STARS_PACKS"] = ""
    await bot.start()
    await bot_message(talk, "Thank you")
    assert "left: 2" in await bot_texts(talk, "/buy"), "what was bought stays, also where nothing is sold any more"


async def test_killed_between_the_refund_and_its_record(bot: BotProcess, server: TelegramServer, talk: Talk) -> None:
    admin = Talk(server.telegram, ADMIN)
    message = await talk.person.pay(await invoice(talk))
    charge = message["successful_payment"]["telegram_payment_charge_id"]
    await bot_message(talk, "Thank you")
    server.telegram.faults.plan("hang", "refundStarPayment")
    command = await admin.person.write(f"/refund {charge}")
    await server.telegram.events.wait_until(lambda: server.telegram.faults.injected.get("hang", 0) == 1)
    await bot.kill()
    server.telegram.faults.release()  # Telegram executes the request; its answer is lost
    await server.telegram.events.wait_until(lambda: server.telegram.charges[charge].refunded is not None)
    await bot.start()
    answer = await admin.answer_to(command)
    assert "Unused edits taken back: 2 of 2" in answer["text"], "the command comes again: it was not confirmed"
    assert await balance(talk) == 0
    assert "refunded already" in await bot_texts(admin, f"/refund {charge}")


async def test_a_question_is_passed_on_although_the_bot_is_killed(
    bot: BotProcess, server: TelegramServer, talk: Talk
) -> None:
    admin = Talk(server.telegram, ADMIN)
    server.telegram.faults.plan("hang_and_drop", "sendMessage", times=2)
    await talk.person.write("/paysupport Where are my Stars?")
    await server.telegram.events.wait_until(lambda: server.telegram.faults.injected.get("hang_and_drop", 0) == 2)
    await bot.kill()
    await bot.start()
    await bot_message(admin, "Where are my Stars?")


async def test_two_processes_at_once_cannot_use_one_paid_edit_twice(postgres: PostgresServer) -> None:
    url = postgres.new_database().replace("postgresql://", "postgresql+psycopg://")
    databases = [Database(url), Database(url)]
    try:
        for database in databases:
            await database.start()
        limits = EditLimits(edits_per_day=1, pending_per_person=1000)
        stores = [Store(database, limits) for database in databases]
        await stores[0].payments.open_invoice("invoice", PERSON, Pack(3, 25))
        charge = Charge("charge", PERSON, "invoice", 25, "XTR", "en")
        await asyncio.gather(*(store.payments.record(charge) for store in stores * 5))
        assert await stores[0].payments.balance(PERSON) == 3

        async def start(number: int) -> bool:
            request = EditRequest(
                f"{number}", PERSON, PERSON, number, Operation.REMOVE_SUBJECT, PhotoRef("file", "unique"), "en"
            )
            try:
                await stores[number % 2].add(request)
            except PersonError:
                return False
            return True

        assert sum(await asyncio.gather(*map(start, range(40)))) == 1 + 3
        assert await stores[0].payments.balance(PERSON) == 0
    finally:
        for database in databases:
            await database.close()


async def test_two_processes_at_once_approve_an_invoice_once(postgres: PostgresServer) -> None:
    url = postgres.new_database().replace("postgresql://", "postgresql+psycopg://")
    databases = [Database(url), Database(url)]
    pack = Pack(3, 25)
    try:
        for database in databases:
            await database.start()
        stores = [Store(database, EditLimits()) for database in databases]
        await stores[0].payments.open_invoice("invoice", PERSON, pack)
        charge = Charge("", PERSON, "invoice", 25, "XTR", "en")
        outcomes = await asyncio.gather(
            *(stores[number % 2].payments.approve(f"{number}", charge, [pack]) for number in range(20)),
            return_exceptions=True,
        )
        assert sum(outcome is None for outcome in outcomes) == 1
    finally:
        for database in databases:
            await database.close()
