"""/privacy and /delete_my_data: what is stored about a person, and its deletion."""

from __future__ import annotations

import re
from functools import partial

import structlog
from telegram import CallbackQuery, Message, Update
from telegram.error import TelegramError

from bot.chat.services import Context
from bot.chat.updates.identity import owner_of
from bot.chat.views.keyboards import delete_data
from bot.edits.model import DeletionRequest
from bot.errors import PersonError

log = structlog.get_logger()


async def privacy(update: Update, context: Context) -> None:
    """/privacy: what is stored, where, how long, and who works on the photos."""
    services = context.services
    where = "privacy-cloud" if services.uses_cloud else "privacy-local"
    place = context.text(where)
    text = context.text("privacy", hours=f"{services.retention_hours:g}", place=place)
    message = update.effective_message
    assert message is not None
    if services.payments.packs or await services.payments.records.newest_of(owner_of(message), 1):
        text = f"{text}\n\n{context.text('privacy-payments')}"
    services.replies.send(message, text)


async def delete_my_data(update: Update, context: Context) -> None:
    """/delete_my_data: ask whether to delete everything that is stored about the person."""
    message, services = update.effective_message, context.services
    assert message is not None
    keyboard = delete_data(services.texts, context.language, owner_of(message))
    has_paid = await services.payments.records.newest_of(owner_of(message), 1)
    text = context.text("delete-data", payments=context.text("delete-data-payments") if has_paid else "")
    services.replies.send(message, text, keyboard=keyboard)


async def delete_pressed(query: CallbackQuery, choice: str, person: str, context: Context) -> None:
    """The answer to the question: delete everything, or keep it.

    Raises:
        PersonError: ``not-yours``, ``too-old``.
    """
    services, shown = context.services, query.message
    if shown is None or choice not in ("yes", "no") or not re.fullmatch(r"-?\d{1,19}", person):
        raise PersonError("too-old")
    owner = int(person)
    if await services.identities.acting_for(query.from_user.id, owner, shown.chat.id) != owner:
        raise PersonError("not-yours")
    if choice == "yes":
        request = DeletionRequest(owner, shown.chat.id, shown.message_id, context.language)
        await services.deletions.request(request)
    elif isinstance(shown, Message):
        services.edits.run_in_background(partial(_show, shown, context.text("data-kept")))


async def _show(message: Message, text: str) -> None:
    try:
        await message.edit_text(text)
    except TelegramError as error:
        log.info("reply_not_sent", message=message.message_id, reason=type(error).__name__)
