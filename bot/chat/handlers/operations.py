"""Requests for an edit: a command in a caption, in a reply, or before its photo, and a photo without a command."""

from __future__ import annotations

from telegram import Message, Update
from telegram.constants import ChatType

from bot.chat.commands import edit_command_in
from bot.chat.file_rules import too_large
from bot.chat.handlers.welcome import answer, not_understood
from bot.chat.photos import photo_in
from bot.chat.services import Context, sender
from bot.edits.model import EditCommand, Operation, PhotoRef
from bot.edits.requests import EditRequest
from bot.errors import PersonError


async def command(update: Update, context: Context) -> None:
    """A request in a command or in words: on the message's photo, the replied-to one, or the next one."""
    message = update.effective_message
    assert message is not None
    asked = edit_command_in(message)
    assert asked is not None
    photo = photo_in(message)
    if photo is not None:
        if message.media_group_id:
            await context.services.edits.remember_album_command(message.chat.id, message.media_group_id, asked)
        await submit(message, photo, asked, context)
        return
    if message.effective_attachment:
        await not_understood(update, context)
        return
    if message.reply_to_message is not None and message.reply_to_message.effective_attachment:
        photo = photo_in(message.reply_to_message)
        if photo is None:
            answer(update, context, "not-a-photo")
            return
        await submit(message, photo, asked, context)
        return
    await context.services.edits.remember_command(message.chat.id, sender(message), asked)
    answer(update, context, f"send-photo-{asked.operation}")


async def bare_photo(update: Update, context: Context) -> None:
    """A photo without a command: run the pending command of its sender or album, else ask what to do."""
    message = update.effective_message
    assert message is not None
    sent = photo_in(message)
    assert sent is not None
    if await _submit_correction(message, sent, context):
        return
    original = await _original_of(message, context)
    if original is not None:
        await submit(message, original, EditCommand(Operation.ERASE), context, painted=sent)
        return
    asked = await context.services.edits.take_pending_command(message.chat.id, sender(message), message.media_group_id)
    if asked is not None:
        await submit(message, sent, asked, context)
    elif message.chat.type == ChatType.PRIVATE:
        language = context.services.language(message.from_user)
        try:
            _check_size(sent, context)
            await context.services.edits.offer(sender(message), message.chat.id, message.message_id, sent, language)
        except PersonError as error:
            _refuse(message, error, context)


async def submit(
    message: Message, sent: PhotoRef, asked: EditCommand, context: Context, *, painted: PhotoRef | None = None
) -> None:
    """Submit an edit; its status message is posted in the background."""
    try:
        _check_size(sent, context)
        await context.services.edits.submit(
            EditRequest.from_message(
                person=sender(message),
                chat=message.chat.id,
                message=message.message_id,
                operation=asked.operation,
                finish=asked.finish,
                photo=sent,
                language=context.services.language(message.from_user),
                painted=painted,
            )
        )
    except PersonError as error:
        _refuse(message, error, context)


async def _submit_correction(message: Message, sent: PhotoRef, context: Context) -> bool:
    """If a photo is the painted copy that a cut-out's correction waits for, submit it; returns whether it is."""
    answered = message.reply_to_message
    if answered is None or message.media_group_id:
        return False
    edits, original = context.services.edits, photo_in(answered)
    submission = f"painted:{message.chat.id}:{message.message_id}"
    correction = await edits.correction_for(
        message.chat.id,
        sender(message),
        replied_to=answered.message_id,
        photo=original.unique_id if original else None,
        submission=submission,
    )
    if correction is None:
        return False
    try:
        _check_size(sent, context)
        await edits.queue_with_painted_copy(correction.id, sent, submission)
    except PersonError as error:
        _refuse(message, error, context)
    return True


async def _original_of(message: Message, context: Context) -> PhotoRef | None:
    """The photo that a message's photo is a painted copy of: the replied-to one, or the one that /erase asked about."""
    answered = message.reply_to_message
    if answered is None or message.media_group_id:
        return None
    waiting = await context.services.edits.edit_waiting_below(message.chat.id, answered.message_id)
    return waiting.photo if waiting is not None else photo_in(answered)


def _check_size(photo: PhotoRef, context: Context) -> None:
    """Refuse a photo whose announced size is above MAX_FILE_MB, before it is downloaded."""
    limit = context.services.max_file_bytes
    if photo.size is not None and photo.size > limit:
        raise too_large(photo.size, limit)


def _refuse(message: Message, error: PersonError, context: Context) -> None:
    language = context.services.language(message.from_user)
    context.services.replies.send(message, context.services.texts.error(language, error))
