"""Payments in Telegram Stars: /buy, the packs' buttons, pre-checkout queries, payments, /paysupport.

`payment_handlers` run before the gate: payments of banned people are recorded too, and a pre-checkout query must be
answered within 10 seconds (docs/telegram.md#stars).
"""

from __future__ import annotations

import asyncio
import re
from functools import partial

import structlog
from telegram import CallbackQuery, InlineKeyboardMarkup, Message, PreCheckoutQuery, Update, User
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import ApplicationHandlerStop, BaseHandler, MessageHandler, PreCheckoutQueryHandler, filters

from bot.chat.commands import command_in
from bot.chat.handlers.welcome import answer, not_understood
from bot.chat.payments import invoice_id, pack_keyboard, pack_rows, payment_lines, send_invoice
from bot.chat.services import Context
from bot.edits.records.payments import Charge
from bot.errors import OutageError, PersonError
from bot.packs import Pack

log = structlog.get_logger()

DECIDE_SECONDS, ANSWER_SECONDS = 5.0, 4.0
"""Time limits of deciding about a pre-checkout query, and of answering it: together below Telegram's 10 seconds."""

LISTED = 3
"""Payments that /paysupport shows."""

MAX_QUESTION = 1000
"""Characters of a question that are passed on."""


def payment_handlers() -> list[BaseHandler[Update, Context, None]]:
    """The handlers of what Telegram says about payments."""
    new = filters.UpdateType.MESSAGE
    return [
        PreCheckoutQueryHandler(check_out),
        MessageHandler(new & filters.SUCCESSFUL_PAYMENT, paid),
        MessageHandler(new & filters.StatusUpdate.REFUNDED_PAYMENT, refunded),
    ]


# ── asking ──


async def buy(update: Update, context: Context) -> None:
    """/buy: what is left of what was bought, and the packs."""
    message, payments = update.effective_message, context.services.payments
    assert message is not None
    if message.chat.type != ChatType.PRIVATE:
        if payments.packs:
            answer(update, context, "buy-private")
        return
    balance = await payments.records.balance(message.chat.id)
    if not payments.packs and not balance:
        await not_understood(update, context)
        return
    text = context.text("buy", limit=payments.edits_per_day, balance=balance)
    keyboard = pack_keyboard(context.services.texts, context.language, payments.packs)
    context.services.replies.send(message, text, keyboard=keyboard)


async def pack_pressed(query: CallbackQuery, edits: str, stars: str, context: Context) -> None:
    """The button of a pack: send its invoice.

    Raises:
        PersonError: ``invoice-changed``, ``too-old``.
    """
    shown, payments = query.message, context.services.payments
    if shown is None or shown.chat.type != ChatType.PRIVATE:
        raise PersonError("too-old")
    if not re.fullmatch(r"[0-9]{1,6}", edits) or not re.fullmatch(r"[0-9]{1,6}", stars):
        raise PersonError("too-old")
    pack, person = Pack(int(edits), int(stars)), query.from_user.id
    if pack not in payments.packs:
        raise PersonError("invoice-changed")
    invoice = invoice_id(query.id, person)
    await payments.records.open_invoice(invoice, person, pack)
    context.services.replies.post(
        shown.chat.id,
        partial(
            send_invoice,
            query.get_bot(),
            context.services.texts,
            context.language,
            person=person,
            invoice=invoice,
            pack=pack,
            per_day=payments.edits_per_day,
        ),
    )


def refusal_text(context: Context, error: PersonError, *, is_private: bool, has_buttons: bool = False) -> str:
    """The text of a refusal; if packs are sold and the day's limit is reached, also how to buy more."""
    text = context.services.texts.error(context.language, error)
    if not can_buy_more(context, error):
        return text
    more = "limit-buttons" if has_buttons else "limit-buy" if is_private else "limit-buy-private"
    return f"{text}\n\n{context.text(more)}"


def can_buy_more(context: Context, error: PersonError) -> bool:
    """Whether the refusal is the day's limit and packs are sold."""
    return error.message_id == "too-many-today" and bool(context.services.payments.packs)


def add_pack_buttons(context: Context, keyboard: InlineKeyboardMarkup | None) -> InlineKeyboardMarkup:
    """The packs' buttons, above the refusal's own buttons."""
    rows = pack_rows(context.services.texts, context.language, context.services.payments.packs)
    return InlineKeyboardMarkup([*rows, *(keyboard.inline_keyboard if keyboard is not None else ())])


# ── paying ──


async def check_out(update: Update, context: Context) -> None:
    """A pre-checkout query: the last moment to refuse. Nothing is charged unless it is approved in time."""
    query = update.pre_checkout_query
    assert query is not None
    context.set_language(query.from_user)
    refusal = await _why_refused(query, context)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await query.answer(ok=refusal is None, error_message=context.text(refusal) if refusal else None)
    except (TelegramError, TimeoutError) as error:  # then Telegram charges nothing
        log.warning("pre_checkout_not_answered", reason=type(error).__name__)
    raise ApplicationHandlerStop


async def _why_refused(query: PreCheckoutQuery, context: Context) -> str | None:
    """Approve a pre-checkout query; returns the id of the text that says why not, or None if it is approved."""
    services, person = context.services, query.from_user.id
    if services.allowed_users and person not in services.allowed_users:
        return "not-allowed"
    charge = Charge("", person, query.invoice_payload, query.total_amount, query.currency, context.language)
    try:
        async with asyncio.timeout(DECIDE_SECONDS):
            await context.load_settings(person, query.from_user)
            await services.payments.records.approve(query.id, charge, services.payments.packs)
    except PersonError as error:
        log.info("pre_checkout_refused", reason=error.message_id)
        return error.message_id
    except (OutageError, TimeoutError) as error:
        log.warning("pre_checkout_refused", reason=type(error).__name__)
        return "checkout-later"
    except Exception:  # any bug: without an answer the person would wait in vain
        log.exception("pre_checkout_refused")
        return "checkout-later"
    return None


async def paid(update: Update, context: Context) -> None:
    """A payment was made: record it and give its edits. `PaymentNotices` notifies the person."""
    message, records = update.message, context.services.payments.records
    assert message is not None
    assert message.successful_payment is not None
    payment, payer = message.successful_payment, message.from_user
    person = payer.id if payer is not None else message.chat.id
    await context.load_settings(person, payer)
    charge = Charge(
        payment.telegram_payment_charge_id,
        person,
        payment.invoice_payload,
        payment.total_amount,
        payment.currency,
        context.language,
    )
    try:
        recorded, is_new = await records.record(charge)
    except Exception:
        # The update is confirmed after its last attempt. Then only this log line has the charge id for a refund.
        log.exception("payment_not_recorded", charge=charge.id, person=person)
        raise
    log.info("payment_recorded", payment=recorded.number, mismatch=recorded.mismatch, again=not is_new)
    context.services.payments.notices.wake()
    raise ApplicationHandlerStop


async def refunded(update: Update, context: Context) -> None:
    """Telegram reports that a payment was refunded."""
    assert update.message is not None
    assert update.message.refunded_payment is not None
    charge = update.message.refunded_payment.telegram_payment_charge_id
    if await context.services.payments.records.end_refund(charge) is None:
        log.error("refund_of_unknown_payment")
    raise ApplicationHandlerStop


# ── asking for help ──


async def pay_support(update: Update, context: Context) -> None:
    """/paysupport: how to get help with a payment; with a text, pass it on to the admins."""
    message, payments = update.effective_message, context.services.payments
    assert message is not None
    if message.chat.type != ChatType.PRIVATE or message.from_user is None:
        if payments.packs:
            answer(update, context, "buy-private")
        return
    newest = await payments.records.newest_of(message.from_user.id, LISTED)
    if not payments.packs and not newest:
        await not_understood(update, context)
        return
    found = command_in(message)
    question = found[1] if found else ""
    if not question:
        listed = payment_lines(context.services.texts, context.language, newest)
        about = context.text("paysupport-payments", payments=listed) if newest else context.text("paysupport-none")
        context.services.replies.send(message, f"{context.text('paysupport')}\n\n{about}")
        return
    try:
        await payments.support.add(
            message.from_user.id, message.message_id, await _for_admins(message, message.from_user, question, context)
        )
    except PersonError as error:
        context.services.replies.send(message, context.services.texts.error(context.language, error))
        return
    payments.notices.wake()
    answer(update, context, "paysupport-sent")


async def _for_admins(message: Message, person: User, question: str, context: Context) -> str:
    """What the admins get of a question: who asks, the text, and the payments that it may be about."""
    services = context.services
    language = services.texts.language(None)
    newest = await services.payments.records.newest_of(person.id, LISTED)
    listed = payment_lines(services.texts, language, newest) or services.texts.get(language, "support-no-payments")
    name = f"{person.full_name[:100]} (@{person.username})" if person.username else person.full_name[:100]
    shown = question if len(question) <= MAX_QUESTION else f"{question[: MAX_QUESTION - 1]}…"
    return services.texts.get(language, "admins-support", name=name, person=person.id, text=shown, payments=listed)
