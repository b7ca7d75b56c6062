"""Packs of edits for Stars, from outside: the limit's buttons, invoices, payments, help and refunds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.playground import TelegramServer
from bot.playground.payments import PaymentFailedError, refund
from bot.playground.person import Upload
from bot.playground.telegram import Charge
from tests.chat.paying import balance, bot_message, bot_texts, buy, invoice, labels
from tests.support import Talk, encoded, running_bot, scene, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHOTO = Upload(encoded(scene(160, 120)))
ADMIN, BANNED = 9000, 9500
LIMIT = 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(folder: Path) -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        Talk(server.telegram, ADMIN)
        settings = settings_for(
            server, folder, admins=frozenset({ADMIN}), edits_per_day=LIMIT, stars_packs="2:25,50:100"
        )
        async with running_bot(settings, server.telegram):
            yield server


@pytest.fixture
def admin(server: TelegramServer) -> Talk:
    return Talk(server.telegram, ADMIN)


async def send(talk: Talk) -> dict[str, Any]:
    """Send a photo with a command; the final answer."""
    (sent,) = await talk.person.send(PHOTO, caption="/remove_subject")
    return await talk.answer_to(sent)


async def test_the_limit_offers_packs_and_a_paid_pack_goes_on(meet: Callable[..., Talk]) -> None:
    talk = meet()
    assert "photo" in await send(talk)
    refused = await send(talk)
    assert "limit of 1" in refused["text"]
    assert labels(refused) == ["2 more edits · 25 ⭐", "50 more edits · 100 ⭐", "🔁 Try again"]
    await talk.person.press_labelled(refused["message_id"], "2 more")
    await talk.telegram.events.wait_until(lambda: any("invoice" in message for message in talk.person.answers))
    (asked,) = [message for message in talk.person.answers if "invoice" in message]
    assert asked["invoice"]["total_amount"] == 25
    assert asked["invoice"]["currency"] == "XTR"
    assert asked["invoice"]["start_parameter"], "a forwarded copy cannot be paid by others"
    await talk.person.pay(asked["message_id"])
    assert "you have 2" in (await bot_message(talk, "Thank you"))["text"]
    await talk.person.press_labelled(refused["message_id"], "Try again")
    await talk.telegram.events.wait_until(lambda: sum("photo" in message for message in talk.person.answers) == 2)
    assert await balance(talk) == 1
    assert "photo" in await send(talk)
    assert "limit of 1" in (await send(talk))["text"]
    assert await balance(talk) == 0


async def test_a_free_edit_is_used_before_a_paid_one(meet: Callable[..., Talk]) -> None:
    talk = meet()
    await buy(talk)
    assert "photo" in await send(talk)
    assert await balance(talk) == 2
    assert "photo" in await send(talk)
    assert await balance(talk) == 1


async def test_a_failed_edit_gives_a_paid_one_back(meet: Callable[..., Talk]) -> None:
    talk = meet()
    await buy(talk)
    await send(talk)
    (sent,) = await talk.person.send(
        Upload(b"\xff\xd8\xff\xe0 no picture", "a.jpg", as_file=True), caption="/remove_subject"
    )
    assert "photo" not in await talk.answer_to(sent)
    assert await balance(talk) == 2


async def test_a_button_at_the_limit_offers_packs_too(meet: Callable[..., Talk]) -> None:
    talk = meet()
    await send(talk)
    (sent,) = await talk.person.send(PHOTO)
    question = await talk.answer_to(sent)
    query = await talk.person.press_labelled(question["message_id"], "The subject")
    assert "/buy" in str(await talk.told(query))
    offer = await bot_message(talk, "get more right away:")
    assert labels(offer)[:2] == ["2 more edits · 25 ⭐", "50 more edits · 100 ⭐"]


async def test_in_a_group_the_refusal_points_to_the_private_chat(
    server: TelegramServer, meet: Callable[..., Talk]
) -> None:
    talk, group = meet(), server.telegram.add_group(-700, "Friends")
    await send(talk)
    await talk.person.send(PHOTO, caption="/remove_subject", group=group)

    def refusals() -> list[dict[str, Any]]:
        return [message for message in group.messages.values() if "limit of 1" in message.get("text", "")]

    await server.telegram.events.wait_until(refusals)
    assert "private chat" in refusals()[0]["text"]
    assert not labels(refusals()[0])


async def test_the_menu_has_the_commands(server: TelegramServer) -> None:
    names = [command["command"] for command in server.telegram.commands["en"]]
    assert names[-2:] == ["buy", "paysupport"]
    assert "refund" in [command["command"] for command in server.telegram.chat_commands[ADMIN]["en"]]


async def test_pressing_pay_twice_charges_once(server: TelegramServer, meet: Callable[..., Talk]) -> None:
    talk = meet()
    number = await invoice(talk)
    outcomes = await asyncio.gather(talk.person.pay(number), talk.person.pay(number), return_exceptions=True)
    (failed,) = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert "used already" in str(failed)
    await bot_message(talk, "Thank you")
    assert await balance(talk) == 2
    assert len([charge for charge in server.telegram.charges.values() if charge.person == talk.person.id]) == 1


async def test_the_same_payment_twice_gives_its_edits_once(server: TelegramServer, meet: Callable[..., Talk]) -> None:
    talk = meet()
    charge = await buy(talk)
    message = next(
        m for m in talk.person.messages if m.get("successful_payment", {}).get("telegram_payment_charge_id") == charge
    )
    server.telegram.updates.add("message", message)  # another update with the same charge
    assert await balance(talk) == 2, "/buy is handled after it: updates of one chat are handled in order"
    assert len([m for m in talk.person.answers if "Thank you" in m.get("text", "")]) == 1


async def test_a_banned_person_is_refused_at_the_checkout(meet: Callable[..., Talk], admin: Talk) -> None:
    talk = meet()
    number = await invoice(talk)
    await bot_texts(admin, f"/ban {talk.person.id}")
    with pytest.raises(PaymentFailedError, match="can't use this bot"):
        await talk.person.pay(number)
    await bot_texts(admin, f"/unban {talk.person.id}")
    await talk.person.pay(number)
    await bot_message(talk, "Thank you")


async def test_another_person_cannot_pay_an_invoice(server: TelegramServer, meet: Callable[..., Talk]) -> None:
    talk, other = meet(), meet()
    number = await invoice(talk)
    telegram, original = server.telegram, talk.person.chat.messages[number]
    copied = telegram.post(other.person.chat, telegram.bot, {"invoice": original["invoice"]})
    telegram.payloads[other.person.id, copied["message_id"]] = telegram.payloads[talk.person.id, number]
    with pytest.raises(PaymentFailedError, match="someone else"):
        await other.person.pay(copied["message_id"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"invoice_payload": "no-such-invoice"}, "unknown-invoice"),
        ({"total_amount": 1}, "other-amount"),
        ({"currency": "USD"}, "other-amount"),
        ({}, "other-person"),
    ],
)
async def test_money_that_does_not_fit_is_recorded_and_told(
    server: TelegramServer, meet: Callable[..., Talk], admin: Talk, change: dict[str, Any], reason: str
) -> None:
    talk, payer = meet(), meet()
    if change:
        payer = talk
    number = await invoice(talk)
    telegram = server.telegram
    charge = Charge(
        f"odd-{reason}-{payer.person.id}", payer.person.id, telegram.payloads[talk.person.id, number], 25, number
    )
    telegram.charges[charge.id] = charge
    payment = {
        "currency": "XTR",
        "total_amount": 25,
        "invoice_payload": charge.payload,
        "telegram_payment_charge_id": charge.id,
        "provider_payment_charge_id": "x",
        **change,
    }
    message = telegram.post(payer.person.chat, payer.person.user, {"successful_payment": payment})
    telegram.updates.add("message", message)
    told = await bot_message(admin, charge.id)
    assert reason in told["text"]
    assert str(payer.person.id) in told["text"]
    assert "does not fit" in (await bot_message(payer, "does not fit"))["text"]
    assert await balance(payer) == 0
    assert "Refunded: 25" in await bot_texts(admin, f"/refund {charge.id}") or change.get("total_amount") == 1


async def test_a_refund_takes_the_unused_edits_back_once(
    server: TelegramServer, meet: Callable[..., Talk], admin: Talk
) -> None:
    talk = meet()
    charge = await buy(talk)
    await send(talk)
    await send(talk)
    assert await balance(talk) == 1
    assert await bot_texts(admin, f"/refund {charge}") == (
        f"Refunded: 25 ⭐ to {talk.person.id}. Unused edits taken back: 1 of 2."
    )
    assert server.telegram.charges[charge].refunded
    assert await balance(talk) == 0
    calls = server.telegram.calls["refundStarPayment"]
    assert "refunded already" in await bot_texts(admin, f"/refund {charge}")
    assert server.telegram.calls["refundStarPayment"] == calls


async def test_telegram_refunds_by_itself(server: TelegramServer, meet: Callable[..., Talk], admin: Talk) -> None:
    talk = meet()
    charge = await buy(talk)
    refund(server.telegram, server.telegram.charges[charge])
    assert await balance(talk) == 0
    assert "refunded already" in await bot_texts(admin, f"/refund {charge}")


async def test_a_refund_that_telegram_refuses_gives_the_edits_back(
    server: TelegramServer, meet: Callable[..., Talk], admin: Talk
) -> None:
    talk = meet()
    charge = await buy(talk)
    kept = server.telegram.charges.pop(charge)
    assert "not_found" in await bot_texts(admin, f"/refund {charge}")
    assert await balance(talk) == 2
    server.telegram.charges[charge] = kept
    assert "Refunded" in await bot_texts(admin, f"/refund {charge}")


async def test_a_refund_whose_answer_is_lost_is_learnt_by_the_next(
    server: TelegramServer, meet: Callable[..., Talk], admin: Talk
) -> None:
    talk = meet()
    charge = await buy(talk)
    server.telegram.faults.plan("lose_answer", "refundStarPayment")
    assert "did not answer" in await bot_texts(admin, f"/refund {charge}")
    assert await balance(talk) == 0, "no person has both the Stars and the edits"
    assert "Unused edits taken back: 2 of 2" in await bot_texts(admin, f"/refund {charge}")


@pytest.mark.parametrize(
    ("command", "words"), [("/refund", "Write /refund"), ("/refund a b", "Write /refund"), ("/refund x", "no payment")]
)
async def test_what_cannot_be_refunded(admin: Talk, command: str, words: str) -> None:
    assert words in await bot_texts(admin, command)


async def test_to_others_refund_does_not_exist(meet: Callable[..., Talk]) -> None:
    talk = meet()
    assert await bot_texts(talk, "/refund x") == await bot_texts(talk, "/nonsense")


async def test_paysupport_shows_the_payments_and_passes_a_question_on(meet: Callable[..., Talk], admin: Talk) -> None:
    talk = meet()
    assert "paid nothing" in await bot_texts(talk, "/paysupport")
    charge = await buy(talk)
    listed = await bot_texts(talk, "/paysupport")
    assert charge in listed
    assert "25 ⭐ · 2 edits, 2 left" in listed
    assert "Passed on" in await bot_texts(talk, f"/paysupport Where are my edits, {talk.person.id}?")
    asked = await bot_message(admin, f"Where are my edits, {talk.person.id}?")
    assert charge in asked["text"]
    assert f"id {talk.person.id}" in asked["text"]


async def test_paysupport_is_passed_on_three_times_a_day(meet: Callable[..., Talk], admin: Talk) -> None:
    talk = meet()
    for number in range(3):
        assert "Passed on" in await bot_texts(talk, f"/paysupport question {number} of {talk.person.id}")
    assert "3 times" in await bot_texts(talk, f"/paysupport question 3 of {talk.person.id}")
    await bot_message(admin, f"question 2 of {talk.person.id}")
    assert not [m for m in admin.person.answers if f"question 3 of {talk.person.id}" in m.get("text", "")]


async def test_stats_tells_the_stars(server: TelegramServer, meet: Callable[..., Talk], admin: Talk) -> None:
    await buy(meet())
    (line,) = [line for line in (await bot_texts(admin, "/stats")).splitlines() if line.startswith("Stars earned: ")]
    today, week, month = (int(number.replace(",", "")) for number in line.removeprefix("Stars earned: ").split(" / "))
    assert today == week == month >= 25


async def test_forged_buttons_sell_nothing(server: TelegramServer, meet: Callable[..., Talk]) -> None:
    talk = meet()
    shown = await talk.answer_to(await talk.person.write("/buy"))
    for data in ("p:50:1", "p:x:y", "p:", "p:2:25:1", "p:99999999:1"):
        shown["reply_markup"]["inline_keyboard"][0][0]["callback_data"] = data
        talk.person.chat.messages[shown["message_id"]]["reply_markup"] = shown["reply_markup"]
        query = await talk.person.press(shown["message_id"], data)
        assert await talk.told(query)
    assert not [message for message in talk.person.answers if "invoice" in message]


async def test_a_flood_of_texts_does_not_delay_a_checkout(server: TelegramServer, meet: Callable[..., Talk]) -> None:
    talk = meet()
    number = await invoice(talk)
    for _ in range(60):
        await talk.person.write("hello")
    for stranger in [meet() for _ in range(20)]:
        for _ in range(20):
            await stranger.person.write("hello")
    paid = await talk.person.pay(number)  # it fails if it is not answered within 10 s
    assert paid["successful_payment"]["total_amount"] == 25


async def test_deleting_ones_data_keeps_the_payment_and_its_edits(meet: Callable[..., Talk]) -> None:
    talk = meet()
    assert "on record" not in await bot_texts(talk, "/delete_my_data")
    await buy(talk)
    question = await talk.answer_to(await talk.person.write("/delete_my_data"))
    assert "on record" in question["text"]
    await talk.person.press_labelled(question["message_id"], "Delete everything")
    await talk.telegram.events.wait_until(lambda: "Done." in talk.person.chat.messages[question["message_id"]]["text"])
    assert await balance(talk) == 2
    assert "on record" in await bot_texts(talk, "/privacy")
