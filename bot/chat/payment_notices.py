"""Notifies people of their payments, and admins of payments that do not match their invoice and of /paysupport.

The database holds what was not sent yet, so each notice is sent at least once, also after a crash.
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
"""Seconds between two tries of failed notices."""

BATCH = 20
"""Payments, and requests, in one batch."""

SEND_SECONDS = 60.0
"""Time limit of one message; the chat's flood limit may delay it."""


class PaymentNotices:
    """Sends the notices that were not sent yet.

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
        """Look for new notices now."""
        self._woken.set()

    async def run(self) -> None:
        """Send notices until cancelled. A failure is logged, and tried again."""
        while True:
            self._woken.clear()
            is_more = False
            try:
                is_more = await self._notify_all()
            except BotError as error:
                log.warning("payments_not_read", reason=str(error))
            except Exception:  # the background's boundary
                log.exception("people_not_notified")
            if not is_more:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._woken.wait()

    async def _notify_all(self) -> bool:
        """Send a batch; returns whether there may be more to send now."""
        payments, requests = await self._payments.not_notified(BATCH), await self._support.unsent(BATCH)
        jobs = [*map(self._notify_of_payment, payments), *map(self._pass_on, requests)]
        told = await asyncio.gather(*jobs)
        return any(told) and max(len(payments), len(requests)) == BATCH

    async def _notify_of_payment(self, payment: Payment) -> bool:
        """Notify the person, and the admins if the payment does not match its invoice; returns whether it succeeded."""
        if payment.mismatch and not await self._notify_admins_of(payment):
            return False
        values: dict[str, object] = {"stars": payment.stars, "currency": payment.currency, "edits": payment.edits}
        if not payment.mismatch:
            values["balance"] = await self._payments.balance(payment.person)
        text = self._texts.get(payment.language, "paid-mismatch" if payment.mismatch else "paid", **values)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._bot.send_message(payment.person, text)
        except (Forbidden, BadRequest) as error:  # the person has blocked the bot: /buy shows the balance
            log.info("person_not_notified_of_payment", reason=error.message)
        except (TelegramError, TimeoutError) as error:
            log.warning("person_not_notified_of_payment", reason=type(error).__name__)
            return False
        await self._payments.record_notified(payment.number)
        return True

    async def _notify_admins_of(self, payment: Payment) -> bool:
        log.error("payment_does_not_fit", payment=payment.number, reason=payment.mismatch)
        return await self._reach_admins(
            self._texts.get(
                self._language,
                "admins-mismatched-payment",
                amount=payment.stars,
                currency=payment.currency,
                person=payment.person,
                reason=payment.mismatch,
                charge=payment.charge,
            )
        )

    async def _pass_on(self, request: SupportRequest) -> bool:
        if not await self._reach_admins(request.text):
            return False
        await self._support.record_sent(request.number)
        return True

    async def _reach_admins(self, text: str) -> bool:
        """Write to the admins; returns whether one of them got it. Without admins it is only logged."""
        if not self._admins:
            log.error("no_admins", advice="set ADMINS: they answer /paysupport and refund")
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SEND_SECONDS):
                return await tell_admins(self._bot, self._admins, text)
        return False
