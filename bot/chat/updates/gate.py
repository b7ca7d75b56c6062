"""The gate: decides whose updates are handled. It runs before all handlers except those of the operators."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from telegram import Update
from telegram.constants import ChatType
from telegram.ext import ApplicationHandlerStop

from bot.chat.handlers import welcome
from bot.chat.services import Context
from bot.chat.updates.identity import is_allowed, sender_of

REPEAT_SECONDS, MAX_REMEMBERED = 3600.0, 10_000
"""How often a banned person gets an answer, and how many people are remembered."""


class Gate:
    """Stops the updates of the banned, and of strangers where ALLOWED_USERS is set.

    It loads the settings of the others, and records who writes in private.
    """

    def __init__(self) -> None:
        self._told: OrderedDict[int, float] = OrderedDict()
        """By banned person: time of the last answer (event loop time)."""

    async def check(self, update: Update, context: Context) -> None:
        """Let an update pass, or raise `ApplicationHandlerStop`."""
        services = context.services
        context.set_language(update.effective_user)
        sender = sender_of(update)
        if services.bans.is_banned(sender):
            if sender is not None and _is_private(update) and self._may_tell(sender):
                _refuse(update, context, "banned")
            raise ApplicationHandlerStop
        if not is_allowed(update, services.allowed_users):
            if update.callback_query or _is_private(update):
                _refuse(update, context, "not-allowed")
            raise ApplicationHandlerStop
        if sender is not None:
            await context.load_settings(sender, update.effective_user)
            if _is_private(update):
                services.people.mark_seen(sender)

    def _may_tell(self, person: int) -> bool:
        now = asyncio.get_running_loop().time()
        told = self._told.get(person)
        if told is not None and now - told < REPEAT_SECONDS:
            return False
        self._told[person] = now
        self._told.move_to_end(person)
        while len(self._told) > MAX_REMEMBERED:
            self._told.popitem(last=False)
        return True


def _refuse(update: Update, context: Context, message_id: str) -> None:
    if update.callback_query:
        context.services.replies.answer(update.callback_query, context.text(message_id), is_alert=True)
    else:
        welcome.answer(update, context, message_id)


def _is_private(update: Update) -> bool:
    return update.effective_chat is not None and update.effective_chat.type == ChatType.PRIVATE
