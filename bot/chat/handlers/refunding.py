"""/refund: an operator refunds the Stars of a payment.

First the unused edits of the payment are locked, then Telegram refunds, then the refund is recorded. If the process is
killed or Telegram does not answer, the edits stay locked until the next /refund: Telegram refunds a charge once, and
answers a second request with an error that says so.
"""

from __future__ import annotations

import asyncio
import re

import structlog
from telegram import Update
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.chat.handlers.welcome import answer
from bot.chat.payments import day_of
from bot.chat.services import Context

log = structlog.get_logger()

REFUND_SECONDS = 5.0
"""Time limit of the call: later updates, such as pre-checkout queries, wait for it."""

ALREADY_REFUNDED = "CHARGE_ALREADY_REFUNDED"
"""Telegram's answer to a second refund of a charge (docs/telegram.md#stars)."""


async def refund(update: Update, context: Context, rest: str) -> None:
    """/refund CHARGE_ID."""
    if not re.fullmatch(r"\S{1,512}", rest):
        answer(update, context, "refund-how")
        return
    records = context.services.payments.records
    payment = await records.begin_refund(rest)
    if payment is None:
        answer(update, context, "refund-unknown")
        return
    if payment.refunded is not None:
        answer(update, context, "refund-already", date=day_of(payment.refunded))
        return
    try:
        async with asyncio.timeout(REFUND_SECONDS):
            await context.bot.refund_star_payment(payment.person, payment.charge)
    except (BadRequest, Forbidden) as error:
        if ALREADY_REFUNDED not in error.message.upper():
            await records.drop_refund(payment.charge)
            answer(update, context, "refund-refused", reason=error.message)
            return
    except (TelegramError, TimeoutError) as error:
        log.warning("refund_unclear", payment=payment.number, reason=type(error).__name__)
        answer(update, context, "refund-unclear")
        return
    before = await records.end_refund(payment.charge)
    if before is None or before.refunded is not None:  # Telegram's own message about it was handled first
        before = payment
    log.info("payment_refunded", payment=payment.number, stars=payment.stars)
    answer(
        update,
        context,
        "refund-done",
        stars=payment.stars,
        person=payment.person,
        unused=before.unused,
        edits=payment.edits,
    )
