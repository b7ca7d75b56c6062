"""Requests for an edit: a command in a caption, in a reply, or before its photo, and a photo without a command."""

from __future__ import annotations

from dataclasses import replace

from telegram import InlineKeyboardMarkup, Message, Update
from telegram.constants import ChatType

from bot.chat.commands import background_in, edit_command_in
from bot.chat.file_rules import too_large
from bot.chat.handlers.payments import add_pack_buttons, can_buy_more, refusal_text
from bot.chat.handlers.welcome import answer, explain, not_understood
from bot.chat.photos import has_attachment, photo_in, replied_to
from bot.chat.services import Context
from bot.chat.topics import topic_of
from bot.chat.updates.identity import owner_of
from bot.chat.views.keyboards import try_again
from bot.edits.bare_photos import BarePhoto
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
            await _take_earlier(message, message.media_group_id, asked, context)  # first: answers come in order
        elif asked.operation is Operation.ERASE and await _submit_painted_reply(message, photo, context):
            return
        await submit(message, photo, asked, context)
        return
    if message.effective_attachment:
        explain(update, context)
        return
    replied = replied_to(message)
    if replied is not None and has_attachment(replied):
        photo = photo_in(replied)
        if photo is None:
            answer(update, context, "not-a-photo")
            return
        await submit(message, photo, asked, context)
        return
    await context.services.edits.remember_command(message.chat.id, owner_of(message), asked)
    answer(update, context, f"send-photo-{asked.operation}")


async def bare_photo(update: Update, context: Context) -> None:
    """A photo without a command: a painted copy that the bot asked for, or the photo that a command waits for.

    Else, in a private chat, the bot compares it with the photo that it replies to, or asks what to do. In a group
    the bot was not asked, so it says nothing.
    """
    message = update.effective_message
    assert message is not None
    sent = photo_in(message)
    assert sent is not None
    if await _submit_correction(message, sent, context):
        return
    original = await _asked_original(message, context)
    if original is not None:
        original = replace(original, spoiler=original.spoiler or sent.spoiler)
        await submit(message, original, EditCommand(Operation.ERASE), context, painted=sent)
        return
    asked = await context.services.edits.take_pending_command(
        message.chat.id, owner_of(message), message.message_id, message.media_group_id
    )
    if asked is not None and asked.background_of is not None:
        await _put_behind(message, sent, asked.background_of, context)
        return
    bare = _bare(message, sent, context)
    if asked is not None:
        await submit(message, sent, asked, context)
        return
    try:
        if message.chat.type == ChatType.PRIVATE:
            _check_size(sent, context)
            await _do_or_ask(message, bare, context)
        elif bare.album is not None:
            await context.services.unasked.keep_silently(bare)
    except PersonError as error:
        if message.chat.type == ChatType.PRIVATE:
            _refuse(message, error, context)


async def _put_behind(message: Message, picture: PhotoRef, edit: str, context: Context) -> None:
    """Put a photo behind the subject of a cut-out, whose button has asked for it."""
    try:
        _check_size(picture, context)
        await context.services.variants.change_background(edit, owner_of(message), picture)
    except PersonError as error:
        _refuse(message, error, context)


async def background_named(update: Update, context: Context) -> None:
    """A text that only names a colour or a finish: for the cut-out that it replies to, or that waits for one."""
    message = update.effective_message
    assert message is not None
    finish = background_in(message)
    assert finish is not None
    replied = message.reply_to_message.message_id if message.reply_to_message else None
    try:
        if await context.services.variants.name_background(
            message.chat.id, owner_of(message), finish, replied_to=replied
        ):
            return
    except PersonError as error:
        _refuse(message, error, context)
        return
    if edit_command_in(message) is not None:
        await command(update, context)
    else:
        await not_understood(update, context)


def _bare(message: Message, photo: PhotoRef, context: Context) -> BarePhoto:
    return BarePhoto(
        person=owner_of(message),
        chat=message.chat.id,
        message=message.message_id,
        photo=photo,
        language=context.language,
        album=message.media_group_id,
        thread=topic_of(message),
    )


async def _do_or_ask(message: Message, bare: BarePhoto, context: Context) -> None:
    """Do what the person's settings say with a photo, or ask.

    A photo that replies to another one is compared with it first.
    """
    original, chosen = photo_in(replied_to(message)) if bare.album is None else None, context.settings.bare_photos
    if original is not None:
        _check_size(original, context)
        await context.services.unasked.compare(bare, original)
    elif chosen is None:
        await context.services.unasked.ask(bare)
    else:
        if bare.album is not None:  # a command may stand on a later photo of the album
            await context.services.unasked.keep_silently(bare)
        await submit(message, bare.photo, EditCommand(chosen), context)


async def _submit_painted_reply(message: Message, sent: PhotoRef, context: Context) -> bool:
    """Handle a photo with /erase that replies to another photo as a painted copy of it; returns whether it replies."""
    original = photo_in(replied_to(message))
    if original is None or message.chat.type != ChatType.PRIVATE:
        return False
    try:
        _check_size(sent, context)
        _check_size(original, context)
        await context.services.unasked.compare(_bare(message, sent, context), original)
    except PersonError as error:
        _refuse(message, error, context)
    return True


async def _take_earlier(message: Message, album: str, asked: EditCommand, context: Context) -> None:
    """Run the command on the photos of the album that came before the one with the command."""
    try:
        await context.services.unasked.take_album(message.chat.id, owner_of(message), album, asked)
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
                person=owner_of(message),
                chat=message.chat.id,
                message=message.message_id,
                operation=asked.operation,
                finish=asked.finish,
                photo=sent,
                language=context.language,
                painted=painted,
                thread=topic_of(message),
                album=message.media_group_id,
            )
        )
    except PersonError as error:
        keyboard = None
        is_passing = error.message_id in PASSING or can_buy_more(context, error)
        if is_passing and painted is None and message.chat.type == ChatType.PRIVATE:
            keyboard = await _try_again(message, sent, asked, context)
        _refuse(message, error, context, keyboard)


PASSING = ("too-many-pending", "too-many-waiting", "busy")
"""Temporary refusals: the photo is kept, with a button that tries again."""


async def _try_again(
    message: Message, sent: PhotoRef, asked: EditCommand, context: Context
) -> InlineKeyboardMarkup | None:
    """Keep a refused photo; the button that tries again. None if there is no room for it."""
    try:
        offer = await context.services.unasked.keep_silently(_bare(message, sent, context))
    except PersonError:
        return None
    return try_again(context.services.texts, offer, asked)


async def _submit_correction(message: Message, sent: PhotoRef, context: Context) -> bool:
    """If a photo is the painted copy that a cut-out's correction waits for, submit it; returns whether it is."""
    answered = message.reply_to_message
    if answered is None or message.media_group_id:
        return False
    edits, original = context.services.edits, photo_in(answered)
    submission = f"painted:{message.chat.id}:{message.message_id}"
    correction = await edits.correction_for(
        message.chat.id,
        owner_of(message),
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


async def _asked_original(message: Message, context: Context) -> PhotoRef | None:
    """The photo that the bot asked to paint on, if a message's photo answers that; else None."""
    answered = message.reply_to_message
    if answered is None or message.media_group_id:
        return None
    original = photo_in(answered)
    waiting = await context.services.edits.asked_to_paint(
        message.chat.id,
        owner_of(message),
        replied_to=answered.message_id,
        photo=original.unique_id if original else None,
    )
    return waiting.photo if waiting is not None else None


def _check_size(photo: PhotoRef, context: Context) -> None:
    """Refuse a photo whose announced size is above MAX_FILE_MB, before it is downloaded."""
    limit = context.services.max_file_bytes
    if photo.size is not None and photo.size > limit:
        raise too_large(photo.size, limit)


def _refuse(
    message: Message, error: PersonError, context: Context, keyboard: InlineKeyboardMarkup | None = None
) -> None:
    is_private = message.chat.type == ChatType.PRIVATE
    has_packs = is_private and can_buy_more(context, error)
    text = refusal_text(context, error, is_private=is_private, has_buttons=has_packs)
    context.services.replies.send(
        message, text, keyboard=add_pack_buttons(context, keyboard) if has_packs else keyboard
    )
