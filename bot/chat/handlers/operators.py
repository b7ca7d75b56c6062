"""Commands of the operators in their private chat: /stats, /ban, /unban, /announce, /refund.

For everybody else these commands do not exist: the bot answers that it does not understand.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from telegram import (
    Message,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    Update,
)
from telegram.constants import ChatType
from telegram.ext import ApplicationHandlerStop, BaseHandler

from bot.chat.commands import command_in
from bot.chat.handlers.announcing import announce, announcement_pressed
from bot.chat.handlers.refunding import refund
from bot.chat.handlers.welcome import answer
from bot.chat.services import Context
from bot.chat.updates.identity import SERVICE_IDS
from bot.chat.views.figures import figures_text

log = structlog.get_logger()

MAX_ID = 2**52
"""Telegram's ids have at most 52 significant bits."""

LISTED, LISTED_REASON = 15, 40
"""Bans that fit on a phone's screen, and characters of a reason there."""


class OperatorHandler(BaseHandler[Update, Context, None]):
    """Handles the commands and buttons of the people in ADMINS, in their private chats. It runs before the gate.

    Args:
        admins: Telegram user ids.
    """

    def __init__(self, admins: frozenset[int]) -> None:
        super().__init__(_handle)
        self._admins = admins

    def check_update(self, update: object) -> bool:
        """Whether an update is an operator's command or button."""
        if not isinstance(update, Update) or update.effective_user is None:
            return False
        if update.effective_user.id not in self._admins:
            return False
        if update.callback_query is not None:
            return (update.callback_query.data or "").startswith("a:")
        message = update.message
        if message is None or message.chat.type != ChatType.PRIVATE:
            return False
        found = command_in(message)
        return found is not None and found[0] in _COMMANDS


async def _handle(update: Update, context: Context) -> None:
    try:
        assert update.effective_user is not None
        await context.load_settings(update.effective_user.id, update.effective_user)
        if update.callback_query is not None:
            await announcement_pressed(update.callback_query, context)
        else:
            assert update.message is not None
            found = command_in(update.message)
            assert found is not None
            await _COMMANDS[found[0]](update, context, found[1])
    except Exception as error:  # noqa: BLE001 -- for `intake`; if raised, the library would run the next handlers
        context.services.failures[update.update_id] = error
    raise ApplicationHandlerStop


async def stats(update: Update, context: Context, _rest: str) -> None:
    """/stats: how many people, edits, failures and calls of the cloud."""
    services = context.services
    await services.people.write_seen()
    figures = await services.operators.statistics.figures()
    text = figures_text(services.texts, context.language, figures, services.operators.price_per_call)
    if services.payments.packs:
        earned = " / ".join(f"{stars:,}" for stars in await services.payments.records.earned())
        text = f"{text}\n{context.text('stats-stars', stars=earned)}"
    assert update.message is not None
    services.replies.send(update.message, text)


async def ban(update: Update, context: Context, rest: str) -> None:
    """/ban ID [reason], or in reply to a forwarded message; alone it lists the bans."""
    message, operators = update.message, context.services.operators
    assert message is not None
    if not rest and message.reply_to_message is None:
        await _list_bans(update, context)
        return
    person, reason = _target_of(message, rest)
    if person is None:
        answer(update, context, _no_target_text(message))
        return
    if person in operators.admins:
        answer(update, context, "ban-admin")
        return
    stopped = await operators.banning.ban(person, " ".join(reason.split()))
    answer(update, context, "ban-done", person=person, edits=stopped)


async def unban(update: Update, context: Context, rest: str) -> None:
    """/unban ID, or in reply to a forwarded message."""
    message = update.message
    assert message is not None
    person, _ = _target_of(message, rest)
    if person is None:
        answer(update, context, _no_target_text(message))
        return
    lifted = await context.services.operators.banning.lift(person)
    answer(update, context, "unban-done" if lifted else "unban-nobody", person=person)


async def _list_bans(update: Update, context: Context) -> None:
    newest, count = await context.services.bans.listed(LISTED)
    if not newest:
        answer(update, context, "ban-nobody")
        return
    lines = []
    for item in newest:
        reason = item.reason or ""
        short = reason if len(reason) <= LISTED_REASON else f"{reason[: LISTED_REASON - 1]}…"
        lines.append(f"{item.person} · {datetime.fromtimestamp(item.since, UTC):%Y-%m-%d} · {short}".rstrip(" ·"))
    if count > len(newest):
        lines.append("…")
    answer(update, context, "ban-list", count=count, bans="\n".join(lines))


def _target_of(message: Message, rest: str) -> tuple[int | None, str]:
    """The id that a command is about, and the rest of its text.

    It is the id at the start of the text, else the author of the forwarded message; None if there is neither.
    """
    first, _, reason = rest.partition(" ")
    if re.fullmatch(r"-?\d{1,16}", first):
        number = int(first)
        return (number, reason) if 0 < abs(number) < MAX_ID and number not in SERVICE_IDS else (None, "")
    replied = message.reply_to_message
    origin = replied.forward_origin if replied is not None else None
    if isinstance(origin, MessageOriginUser):
        return origin.sender_user.id, rest
    if isinstance(origin, MessageOriginChat):
        return origin.sender_chat.id, rest
    if isinstance(origin, MessageOriginChannel):
        return origin.chat.id, rest
    return None, ""


def _no_target_text(message: Message) -> str:
    """Id of the text that explains why a command has no target."""
    replied = message.reply_to_message
    if replied is not None and isinstance(replied.forward_origin, MessageOriginHiddenUser):
        return "ban-hidden"
    return "ban-how"


_COMMANDS: dict[str, Callable[[Update, Context, str], Awaitable[None]]] = {
    "stats": stats,
    "announce": announce,
    "ban": ban,
    "unban": unban,
    "refund": refund,
}
