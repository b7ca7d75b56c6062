"""Selling packs of edits: the services that handlers need, buttons, invoices and texts."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LabeledPrice
from telegram.error import TelegramError

from bot.edits.records.payments import STARS, Payment, Payments
from bot.edits.records.support_requests import SupportRequests
from bot.packs import Pack
from bot.texts import Texts

if TYPE_CHECKING:
    from bot.chat.payment_notices import PaymentNotices

log = structlog.get_logger()

START_PARAMETER = "buy"
"""A forwarded invoice then links to the bot; without it, others could pay the invoice (docs/telegram.md#stars)."""


@dataclass(frozen=True, slots=True)
class PaymentServices:
    """What the handlers of payments need.

    Attributes:
        packs: What is sold; empty: nothing.
        edits_per_day: The free edits of a day.
        records: Invoices and payments.
        support: What people ask with /paysupport.
        notices: Tells people and admins of payments.
    """

    packs: tuple[Pack, ...]
    edits_per_day: int
    records: Payments
    support: SupportRequests
    notices: PaymentNotices


def pack_rows(texts: Texts, language: str, packs: Collection[Pack]) -> list[list[InlineKeyboardButton]]:
    """A button for each pack: ``p:EDITS:STARS``."""
    return [
        [InlineKeyboardButton(texts.get(language, "button-pack", **pack._asdict()), callback_data=f"p:{edits}:{stars}")]
        for pack in packs
        for edits, stars in [pack]
    ]


def pack_keyboard(texts: Texts, language: str, packs: Collection[Pack]) -> InlineKeyboardMarkup | None:
    """The packs' buttons; None if nothing is sold."""
    rows = pack_rows(texts, language, packs)
    return InlineKeyboardMarkup(rows) if rows else None


def invoice_id(query: str, person: int) -> str:
    """The id of the invoice for a pressed button: the same press handled twice is one invoice, charged once."""
    return hashlib.sha256(f"invoice:{query}:{person}".encode()).hexdigest()[:32]


async def send_invoice(
    bot: Bot, texts: Texts, language: str, *, person: int, invoice: str, pack: Pack, per_day: int
) -> None:
    """Send an invoice to the person's private chat; after a failure say that there is none: nothing was paid."""
    title = texts.get(language, "invoice-title", edits=pack.edits)
    text = texts.get(language, "invoice-text", edits=pack.edits, limit=per_day)
    try:
        await bot.send_invoice(
            person,
            title=title,
            description=text,
            payload=invoice,
            currency=STARS,
            prices=[LabeledPrice(title, pack.stars)],
            provider_token="",
            start_parameter=START_PARAMETER,
        )
    except TelegramError as error:
        log.warning("invoice_not_sent", reason=f"{type(error).__name__}: {error.message}")
        with contextlib.suppress(TelegramError):
            await bot.send_message(person, texts.get(language, "checkout-later"))


def payment_lines(texts: Texts, language: str, payments: Sequence[Payment]) -> str:
    """A few payments, each with its date, Stars, edits and id."""
    lines = []
    for payment in payments:
        state = "payment-refunded" if payment.refunded else "payment-mismatch" if payment.mismatch else "payment-left"
        words = texts.get(language, state, edits=payment.edits, left=payment.unused)
        amount = f"{payment.stars} ⭐" if payment.currency == STARS else f"{payment.stars} {payment.currency}"
        lines.append(f"{day_of(payment.at)} · {amount} · {words}\n{payment.charge}")
    return "\n".join(lines)


def day_of(at: float) -> str:
    """The date of a time, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
