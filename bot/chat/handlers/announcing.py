"""/announce and its buttons: preview a draft, send it, drop it, stop it."""

from __future__ import annotations

import re
from functools import partial

import structlog
from telegram import CallbackQuery, Update
from telegram.error import TelegramError

from bot.chat.announcements import confirmation
from bot.chat.handlers.welcome import answer
from bot.chat.services import Context
from bot.edits.records.announcements import Announcement, AnnouncementState

log = structlog.get_logger()


async def announce(update: Update, context: Context, rest: str) -> None:
    """/announce TEXT, or /announce in reply to a message: show what people would get, and ask."""
    message, services = update.message, context.services
    assert message is not None
    copied = message.reply_to_message.message_id if message.reply_to_message is not None and not rest else None
    if (not rest and copied is None) or message.text is None:
        answer(update, context, "announce-how")
        return
    await services.people.write_seen()  # so that people who have just written are counted
    draft = await services.operators.announcements.draft(
        message.chat.id,
        message.message_id,
        copied=copied,
        text=rest or None,
        language=context.language,
    )
    if draft.state is AnnouncementState.DRAFT:
        services.edits.run_in_background(partial(_preview, draft, context))


async def _preview(draft: Announcement, context: Context) -> None:
    operators, services = context.services.operators, context.services
    people = await operators.announcements.count_people(draft.chat, services.allowed_users)
    text, buttons = confirmation(services.texts, draft, people)
    try:
        await operators.sender.preview(draft)
    except TelegramError as error:
        log.info("preview_not_shown", reason=error.message)
        text, buttons = services.texts.get(draft.language, "announce-not-possible"), None
    try:
        await context.bot.send_message(draft.chat, text, reply_markup=buttons)
    except TelegramError as error:
        log.warning("preview_not_shown", reason=error.message)


async def announcement_pressed(query: CallbackQuery, context: Context) -> None:
    """A button of an announcement: send it, drop the draft, or stop sending it."""
    services, operators = context.services, context.services.operators
    language = context.language
    found = re.fullmatch(r"a:(\d{1,15}):(send|drop|stop)", query.data or "")
    announcement = await operators.announcements.get(int(found[1])) if found else None
    if found is None or announcement is None or announcement.chat != query.from_user.id or query.message is None:
        services.replies.answer(query, services.texts.get(language, "too-old"), is_alert=True)
        return
    if found[2] == "send":
        panel = query.message.message_id
        await services.people.write_seen()
        started = await operators.announcements.start(announcement.number, panel, services.allowed_users)
        is_started = started is not None and started.state is AnnouncementState.SENDING
        services.replies.answer(query, services.texts.get(language, "announce-started") if is_started else None)
    else:
        await operators.announcements.stop(announcement.number)
        services.replies.answer(query)
        if announcement.state is AnnouncementState.DRAFT:
            text = services.texts.get(language, "announce-dropped")
            services.edits.run_in_background(partial(_show, announcement.chat, query.message.message_id, text, context))
    operators.sender.wake()


async def _show(chat: int, message: int, text: str, context: Context) -> None:
    try:
        await context.bot.edit_message_text(text, chat, message)
    except TelegramError as error:
        log.info("panel_not_changed", reason=error.message)
