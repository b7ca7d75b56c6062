"""Tells people of their payments, and the admins of what they must know: payments that do not fit, and /paysupport.

What is to be told stands in the database, so it is told at least once, whatever is killed in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection

import structlog
from telegram import Bot
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.chat.notices import tell_admins
from bot.edits.records.payments import Payment, Payments
from bot.edits.records.support_requests import SupportRequest, SupportRequests
from bot.errors import BotError
from bot.texts import Texts

log = structlog.get_logger()

LOOK_SECONDS = 30.0
"""Seconds between looks for what could not be told."""

BATCH = 20
"""Payments, and requests, that are told at a time."""

SEND_SECONDS = 60.0
"""Time limit of one message; the chat's flood limit may delay it."""


class PaymentNotices:
    """Tells what is recorded as not told.

    Args:
        bot: The Bot API.
        payments: The payments.
        support: The requests of /paysupport.
        texts: The catalogues.
        language: The admins' language.
        admins: Telegram user ids.
    """

    def __init__(
        self,
        bot: Bot,
        payments: Payments,
        support: SupportRequests,
        texts: Texts,
        language: str,
        admins: Collection[int],
    ) -> None:
        self._bot = bot
        self._payments = payments
        self._support = support
        self._texts = texts
        self._language = language
        self._admins = admins
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something new is to be told."""
        self._woken.set()

    async def run(self) -> None:
        """Tell until cancelled. A failure is logged, and tried again."""
        while True:
            self._woken.clear()
            is_more = False
            try:
                is_more = await self._tell_all()
            except BotError as error:
                log.warning("payments_not_read", reason=str(error))
            except Exception:  # the background's boundary
                log.exception("payments_not_told")
            if not is_more:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._woken.wait()

    async def _tell_all(self) -> bool:
        """Tell a batch; returns whether there may be more to tell at once."""
        payments, requests = await self._payments.untold(BATCH), await self._support.unsent(BATCH)
        jobs = [*map(self._tell_of_payment, payments), *map(self._pass_on, requests)]
        told = await asyncio.gather(*jobs)
        return any(told) and max(len(payments), len(requests)) == BATCH

    async def _tell_of_payment(self, payment: Payment) -> bool:
        """Tell the person, and of one that does not fit the admins; returns whether that is done."""
        if payment.odd and not await self._tell_admins_of(payment):
            return False
        values: dict[str, object] = {"stars": payment.stars, "currency": payment.currency, "edits": payment.edits}
        if not payment.odd:
            values["balance"] = await self._payments.balance(payment.person)
        text = self._texts.get(payment.language, "paid-odd" if payment.odd else "paid", **values)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._bot.send_message(payment.person, text)
        except (Forbidden, BadRequest) as error:  # the person has blocked the bot: /buy shows the balance
            log.info("person_not_told_of_payment", reason=error.message)
        except (TelegramError, TimeoutError) as error:
            log.warning("person_not_told_of_payment", reason=type(error).__name__)
            return False
        await self._payments.record_told(payment.number)
        return True

    async def _tell_admins_of(self, payment: Payment) -> bool:
        log.error("payment_does_not_fit", payment=payment.number, reason=payment.odd)
        return await self._reach_admins(
            self._texts.get(
                self._language,
                "admins-odd-payment",
                amount=payment.stars,
                currency=payment.currency,
                person=payment.person,
                reason=payment.odd,
                charge=payment.charge,
            )
        )

    async def _pass_on(self, request: SupportRequest) -> bool:
        if not await self._reach_admins(request.text):
            return False
        await self._support.record_sent(request.number)
        return True

    async def _reach_admins(self, text: str) -> bool:
        """Write to the admins; returns whether one of them got it. With no admins it stays in the log alone."""
        if not self._admins:
            log.error("no_admins", advice="set ADMINS: they answer /paysupport and refund")
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SEND_SECONDS):
                return await tell_admins(self._bot, self._admins, text)
        return False
