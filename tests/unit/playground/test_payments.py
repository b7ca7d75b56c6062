"""The stand-in's payments in Stars: Telegram's rules of invoices, of the ten seconds, and of refunds."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bot.playground import Person, Telegram
from bot.playground.errors import BotApiError
from bot.playground.methods import BotApi
from bot.playground.payments import PaymentFailedError
from bot.playground.rules import Parameters

ADA = 7
INVOICE: dict[str, Any] = {
    "title": "10 more edits",
    "description": "10 edits",
    "payload": "pack",
    "currency": "XTR",
    "provider_token": "",
    "start_parameter": "buy",
    "prices": [{"label": "10 more edits", "amount": 25}],
}


class World:
    """A person, and a bot that calls the methods itself."""

    def __init__(self) -> None:
        self.telegram = Telegram()
        self.person = Person(self.telegram, ADA)
        self.api = BotApi(self.telegram)

    async def call(self, method: str, **given: Any) -> Any:
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
        return await self.api.methods[method.lower()](Parameters({"chat_id": str(ADA), **texts}, {}))

    async def send(self, **changes: Any) -> Any:
        return await self.call("sendInvoice", **(INVOICE | changes))

    async def asked(self) -> dict[str, Any]:
        """The pre-checkout query that the bot gets, or got last."""
        updates = await self.telegram.updates.get(None, 100, 5, None)
        return [update["pre_checkout_query"] for update in updates if "pre_checkout_query" in update][-1]

    async def pay(self, message: dict[str, Any], **answer: Any) -> Any:
        """Ada pays, and the bot answers so."""
        paying = asyncio.create_task(self.person.pay(message["message_id"]))
        await asyncio.sleep(0)
        query = await self.asked()
        await self.call("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], **answer)
        return await paying


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"title": ""}, "title must be non-empty"),
        ({"title": "x" * 33}, "INVOICE_TITLE_INVALID"),
        ({"description": "x" * 256}, "INVOICE_DESCRIPTION_INVALID"),
        ({"payload": ""}, "INVOICE_PAYLOAD_INVALID"),
        ({"payload": "é" * 65}, "INVOICE_PAYLOAD_INVALID"),
        ({"currency": "USD"}, "CURRENCY_INVALID"),
        ({"provider_token": "1:LIVE:x"}, "PAYMENT_PROVIDER_INVALID"),
        ({"prices": []}, "STARS_INVOICE_INVALID"),
        ({"prices": INVOICE["prices"] * 2}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "x", "amount": 0}]}, "STARS_AMOUNT_INVALID"),
        ({"start_parameter": "a b"}, "START_PARAM_INVALID"),
    ],
)
async def test_a_wrong_invoice_is_refused(world: World, change: dict[str, Any], error: str) -> None:
    with pytest.raises(BotApiError, match=error):
        await world.send(**change)


async def test_a_payment_is_asked_for_made_and_told(world: World) -> None:
    message = await world.send()
    assert message["invoice"]["total_amount"] == 25
    assert "payload" not in str(message), "it is not shown to people"
    paid = await world.pay(message, ok=True)
    told = paid["successful_payment"]
    assert (told["invoice_payload"], told["currency"], told["total_amount"]) == ("pack", "XTR", 25)
    assert world.telegram.charges[told["telegram_payment_charge_id"]].person == ADA
    with pytest.raises(BotApiError, match="ALREADY_PAID"):
        await world.person.pay(message["message_id"])


async def test_a_refused_payment_charges_nothing(world: World) -> None:
    message = await world.send()
    with pytest.raises(PaymentFailedError, match="Sold out"):
        await world.pay(message, ok=False, error_message="Sold out")
    assert not world.telegram.charges


async def test_a_refusal_needs_words_and_a_query_one_answer(world: World) -> None:
    message = await world.send()
    paying = asyncio.create_task(world.person.pay(message["message_id"]))
    await asyncio.sleep(0)
    query = (await world.asked())["id"]
    with pytest.raises(BotApiError, match="error_message"):
        await world.call("answerPreCheckoutQuery", pre_checkout_query_id=query, ok=False)
    await world.call("answerPreCheckoutQuery", pre_checkout_query_id=query, ok=True)
    with pytest.raises(BotApiError, match="query is too old"):
        await world.call("answerPreCheckoutQuery", pre_checkout_query_id=query, ok=True)
    await paying


async def test_an_answer_that_comes_too_late_charges_nothing(world: World) -> None:
    message = await world.send()
    world.telegram.checkout_seconds = 0.01
    with pytest.raises(PaymentFailedError, match="TIMEOUT"):
        await world.person.pay(message["message_id"])
    with pytest.raises(BotApiError, match="query is too old"):
        await world.call("answerPreCheckoutQuery", pre_checkout_query_id=(await world.asked())["id"], ok=True)
    assert not world.telegram.charges


async def test_a_charge_is_refunded_once_and_to_its_person(world: World) -> None:
    charge = (await world.pay(await world.send(), ok=True))["successful_payment"]["telegram_payment_charge_id"]
    Person(world.telegram, ADA + 1)
    for person, given, error in (
        (ADA + 1, charge, "CHARGE_NOT_FOUND"),
        (ADA, "x", "CHARGE_NOT_FOUND"),
        (5, charge, "user_id"),
    ):
        with pytest.raises(BotApiError, match=error):
            await world.call("refundStarPayment", user_id=person, telegram_payment_charge_id=given)
    assert await world.call("refundStarPayment", user_id=ADA, telegram_payment_charge_id=charge)
    with pytest.raises(BotApiError, match="CHARGE_ALREADY_REFUNDED"):
        await world.call("refundStarPayment", user_id=ADA, telegram_payment_charge_id=charge)
