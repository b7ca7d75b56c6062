"""/start, /help, and messages that the bot does not understand."""

from __future__ import annotations

from telegram import Update
from telegram.constants import ChatType

from bot.chat.commands import command_in, names_this_bot
from bot.chat.services import Context
from bot.chat.updates.identity import owner_of
from bot.chat.views.keyboards import PRIVATE_START_PREFIX
from bot.errors import PersonError


async def start(update: Update, context: Context) -> None:
    """/start: explain the bot; with the parameter of a group's link, go on with that group's edit here."""
    message = update.effective_message
    assert message is not None
    found = command_in(message)
    parameter = found[1] if found else ""
    if not parameter.startswith(PRIVATE_START_PREFIX) or message.chat.type != ChatType.PRIVATE:
        answer(update, context, "start")
        return
    try:
        edits, edit, person = context.services.edits, parameter.removeprefix(PRIVATE_START_PREFIX), owner_of(message)
        place = await edits.place(edit)
        acting = await context.services.identities.acting_for(person, *place) if place else person
        await edits.continue_in_private(edit, acting, person, message.message_id, context.language)
    except PersonError as error:
        context.services.replies.send(message, context.services.texts.error(context.language, error))


async def help_(update: Update, context: Context) -> None:
    """/help: list the commands and say how long photos are kept."""
    answer(update, context, "help", hours=f"{context.services.retention_hours:g}")


async def not_understood(update: Update, context: Context) -> None:
    """Reply with one helpful line; in groups only to a command that names this bot: others talk there."""
    message = update.effective_message
    assert message is not None
    if message.chat.type == ChatType.PRIVATE or names_this_bot(message):
        explain(update, context)


def explain(update: Update, context: Context) -> None:
    """Reply with one line about what the bot can do with a message."""
    message = update.effective_message
    assert message is not None
    moving = message.animation or message.video or message.video_note
    reason = (
        "not-a-photo-sticker"
        if message.sticker
        else "not-a-photo-video"
        if moving
        else "not-a-photo"
        if message.effective_attachment
        else "not-understood"
    )
    context.services.replies.send(message, context.text(reason), rarely=True)


def answer(update: Update, context: Context, message_id: str, **values: object) -> None:
    """Reply with a text in the person's language, soon."""
    message = update.effective_message
    assert message is not None
    context.services.replies.send(message, context.text(message_id, **values))
