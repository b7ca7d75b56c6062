"""Payments in Telegram Stars: invoices, pre-checkout queries, charges and refunds, with Telegram's rules."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bot.playground.errors import BotApiError, bad_request
from bot.playground.rules import Parameters, keyboard
from bot.playground.telegram import STARS, Charge, Chat, Checkout, Json, Telegram

MAX_TITLE, MAX_DESCRIPTION, MAX_PAYLOAD, MAX_START_PARAMETER = 32, 255, 128, 64
"""Characters of a title and a description, bytes of a payload, characters of a start parameter."""

MAX_STARS = 25_000


class PaymentFailedError(Exception):
    """A payment that was not made; nothing was charged. Its text is what the person is shown."""


class PaymentMethods:
    """The Bot API methods of payments.

    Args:
        telegram: The state that they read and change.
    """

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram

    @property
    def methods(self) -> tuple[tuple[str, Callable[[Parameters], Awaitable[Any]]], ...]:
        """The methods with their names."""
        return (
            ("sendInvoice", self._send_invoice),
            ("answerPreCheckoutQuery", self._answer_pre_checkout_query),
            ("refundStarPayment", self._refund_star_payment),
        )

    async def _send_invoice(self, given: Parameters) -> Json:
        chat = self._telegram.chat(given.chat())
        title, description, payload = (given.text(name) or "" for name in ("title", "description", "payload"))
        if not 1 <= len(title) <= MAX_TITLE:
            raise bad_request("INVOICE_TITLE_INVALID" if title else "title must be non-empty")
        if not 1 <= len(description) <= MAX_DESCRIPTION:
            raise bad_request("INVOICE_DESCRIPTION_INVALID" if description else "description must be non-empty")
        if not 1 <= len(payload.encode()) <= MAX_PAYLOAD:
            raise bad_request("INVOICE_PAYLOAD_INVALID")
        start = given.text("start_parameter") or ""
        if start and (len(start) > MAX_START_PARAMETER or not re.fullmatch(r"[A-Za-z0-9_-]+", start)):
            raise bad_request("START_PARAM_INVALID")
        if given.text("currency") != STARS:
            raise bad_request("CURRENCY_INVALID")  # other currencies are for physical goods
        if given.text("provider_token"):
            raise bad_request("PAYMENT_PROVIDER_INVALID")
        amount = _price(given.json("prices"))
        invoice = {"title": title, "description": description, "start_parameter": start}
        content: Json = {"invoice": {**invoice, "currency": STARS, "total_amount": amount}}
        markup = keyboard(given.json("reply_markup"), private=chat.is_private)
        if markup is not None:
            content["reply_markup"] = markup
        message = self._telegram.post(chat, self._telegram.bot, content)
        self._telegram.payloads[chat.info["id"], message["message_id"]] = payload
        return message

    async def _answer_pre_checkout_query(self, given: Parameters) -> bool:
        is_ok, error = given.flag("ok"), given.text("error_message") or ""
        if not is_ok and not error:
            raise bad_request("error_message must be non-empty")
        checkout = self._telegram.checkouts.pop(given.text("pre_checkout_query_id") or "", None)
        if checkout is None or checkout.answer.done():
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        checkout.answer.set_result(None if is_ok else error)
        return True

    async def _refund_star_payment(self, given: Parameters) -> bool:
        if given.number("user_id") not in self._telegram.people:
            raise bad_request("invalid user_id specified")
        charge = self._telegram.charges.get(given.text("telegram_payment_charge_id") or "")
        if charge is None or charge.person != given.number("user_id"):
            raise bad_request("CHARGE_NOT_FOUND")
        if charge.refunded is not None:
            raise bad_request("CHARGE_ALREADY_REFUNDED")
        refund(self._telegram, charge, tell_bot=False)
        return True


async def pay(telegram: Telegram, person: Json, chat: Chat, message_id: int) -> Json:
    """A person pays an invoice: pre-checkout query, charge, then the message with the payment.

    Returns:
        The service message with the payment.

    Raises:
        PaymentFailedError: The bot refuses, or does not answer in time; nothing was charged.
        BotApiError: There is no invoice, or it is paid.
    """
    invoice = chat.messages.get(message_id, {}).get("invoice")
    payload = telegram.payloads.get((chat.info["id"], message_id))
    if invoice is None or payload is None:
        raise bad_request("there is no invoice any more")
    if message_id in chat.paid:
        raise bad_request("INVOICE_ALREADY_PAID")
    asked = {"currency": invoice["currency"], "total_amount": invoice["total_amount"], "invoice_payload": payload}
    query = str(secrets.randbits(62))
    checkout = telegram.checkouts[query] = Checkout(asyncio.get_running_loop().create_future())
    telegram.updates.add("pre_checkout_query", {"id": query, "from": person, **asked})
    try:
        async with asyncio.timeout(telegram.checkout_seconds):
            refusal = await checkout.answer
    except TimeoutError:
        raise PaymentFailedError("BOT_PRECHECKOUT_TIMEOUT") from None
    finally:
        telegram.checkouts.pop(query, None)
    if refusal is not None:
        raise PaymentFailedError(refusal)
    charge = Charge(f"stx{secrets.token_urlsafe(40)}", person["id"], payload, invoice["total_amount"], message_id)
    telegram.charges[charge.id] = charge
    chat.paid.add(message_id)
    content = {
        "successful_payment": {
            **asked,
            "telegram_payment_charge_id": charge.id,
            "provider_payment_charge_id": f"{person['id']}_{secrets.randbelow(10**9)}",
        }
    }
    message = telegram.post(chat, person, content)
    telegram.updates.add("message", message)
    return message


def refund(telegram: Telegram, charge: Charge, *, tell_bot: bool = True) -> None:
    """Give the Stars of a charge back, and tell the person.

    Args:
        telegram: The playground's state.
        charge: The payment.
        tell_bot: Whether the bot gets an update; whether it does for its own refunds is not documented.
    """
    charge.refunded = int(time.time())
    refunded = {
        "currency": charge.currency,
        "total_amount": charge.amount,
        "invoice_payload": charge.payload,
        "telegram_payment_charge_id": charge.id,
    }
    message = telegram.post(telegram.chats[charge.person], telegram.bot, {"refunded_payment": refunded})
    if tell_bot:
        telegram.updates.add("message", message)


def _price(prices: Any) -> int:
    """The amount of an invoice in Stars, which has exactly one price."""
    if not isinstance(prices, list):
        raise bad_request("can't parse prices JSON object")
    if len(prices) != 1:
        raise bad_request("STARS_INVOICE_INVALID")
    amount = prices[0].get("amount") if isinstance(prices[0], dict) else None
    if not isinstance(amount, int) or not str(prices[0].get("label", "")):
        raise bad_request("can't parse labeled price")
    if not 1 <= amount <= MAX_STARS:
        raise BotApiError(400, "Bad Request: STARS_AMOUNT_INVALID")
    return amount
