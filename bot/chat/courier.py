"""Carries an edit's photo in and its words and picture out, over the Bot API: the `Courier` port of `bot.edits`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator
from pathlib import PurePosixPath

import structlog
from telegram import (
    InlineKeyboardMarkup,
    InputMedia,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
    ReplyParameters,
)
from telegram.constants import ChatAction
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.chat.keyboards import Keyboards
from bot.chat.limiter import LONGEST_RETRY_AFTER, FloodLimiter, seconds
from bot.chat.texts import Texts
from bot.edits.model import Edit, Offer, Operation, PhotoRef, Stage, State
from bot.edits.ports import Lost, Made
from bot.edits.steps import ChatGoneError, StatusGoneError
from bot.errors import BotError, NothingFoundError, OperatorError, PersonError, WorldError

log = structlog.get_logger()

ACTION_SECONDS = 4.0
"""A chat action is shown for 5 s at most (Bot API, sendChatAction)."""

PHOTO_SIDES, PHOTO_RATIO, PHOTO_BYTES, FILE_BYTES = 10_000, 20, 10_000_000, 50_000_000
"""sendPhoto: width + height, ratio, size; sendDocument: size (Bot API)."""

PROBES, MOST_PROBES = 12, 100
"""A status message that may have been posted without its id arriving is looked for among the ids up to so many above
the highest that is known, those that are other messages' left out; so many at most are tried."""

POST_TRIES = 4


class TelegramCourier:
    """The courier.

    Args:
        bot: The Bot API.
        texts: What is said.
        keyboards: What can be pressed.
    """

    def __init__(self, bot: ExtBot[None], texts: Texts, keyboards: Keyboards) -> None:
        self._bot = bot
        self._texts = texts
        self._keyboards = keyboards
        limiter = bot.rate_limiter
        assert isinstance(limiter, FloodLimiter)
        self._ids = limiter.ids

    def highest(self, edit: Edit) -> int:
        """See `Courier.highest`."""
        self._ids.meet(edit.chat, edit.message)
        return self._ids.highest(edit.chat, edit.message)

    async def post_status(self, edit: Edit, *, position: int, lost: Lost | None) -> int:
        """See `Courier.post_status`. sendMessage cannot be repeated blindly: a lost answer leaves a message unknown.

        After an unclear failure the ids that may be it are probed: giving a message the buttons that it should already
        have answers "not modified" for the lost one alone, since the buttons carry this edit's id. Others' messages
        cannot be edited, and the bot's own other ones in this chat are known: the announcer posts one at a time there.
        """
        text, keyboard = self._status(edit, None, position), self._keyboards.working(edit)
        searched = 0
        for attempt in range(1, POST_TRIES + 1):
            if lost is not None:
                searched = max(self.highest(edit), lost.after, *lost.known) + PROBES
                found = await self._find_posted(edit, keyboard, lost, searched)
                if found is not None:
                    return found
            after = self.highest(edit)
            try:
                reply = ReplyParameters(edit.message, allow_sending_without_reply=True)
                message = await self._bot.send_message(edit.chat, text, reply_parameters=reply, reply_markup=keyboard)
            except NetworkError as error:
                if isinstance(error, BadRequest) or attempt == POST_TRIES:
                    raise _explained(error) from error
                lost = Lost(min(after, lost.after), lost.known) if lost else Lost(after)
                await asyncio.sleep(0.3 * 2**attempt)
            except TelegramError as error:
                raise _explained(error) from error
            else:
                if lost is None or message.message_id <= searched:
                    return message.message_id
                return await self._only_one(edit, keyboard, Lost(searched, lost.known), message.message_id)
        raise AssertionError("unreachable")

    async def _only_one(self, edit: Edit, keyboard: InlineKeyboardMarkup, lost: Lost, posted: int) -> int:
        """The status message that stays, where the one that was lost may lie between what was searched and the new one.

        In a busy group many a message comes in between, and what comes there is not told to the bot; but whatever was
        posted before lies below what is posted now.
        """
        found = await self._find_posted(edit, keyboard, lost, posted - 1)
        if found is None:
            return posted
        try:
            await self._bot.delete_message(edit.chat, posted)
        except TelegramError as error:
            log.warning("double_not_deleted", edit=edit.id, reason=type(error).__name__)
        return found

    async def _find_posted(self, edit: Edit, keyboard: InlineKeyboardMarkup, lost: Lost, upto: int) -> int | None:
        """The status message that was posted without our learning its id; the buttons in it carry this edit's id."""
        for message in itertools.islice(self._ids.unknown(lost.after, upto, lost.known), MOST_PROBES):
            try:
                # Only the markup is compared: it is this edit's alone, so no other edit's status can answer to it.
                await self._bot.edit_message_reply_markup(edit.chat, message, reply_markup=keyboard)
            except BadRequest as error:
                if _says(error, "not modified"):
                    self._ids.meet(edit.chat, message)
                    return message
            except TelegramError as error:
                raise _explained(error) from error  # posting again before all were tried might double it
            else:
                log.warning("another_message_met", edit=edit.id, message=message)
        return None

    async def post_offer(self, offer: Offer) -> int:
        """See `Courier.post_offer`."""
        try:
            message = await self._bot.send_message(
                offer.chat,
                self._texts.get(offer.language, "choose"),
                reply_parameters=ReplyParameters(offer.message, allow_sending_without_reply=True),
                reply_markup=self._keyboards.offer(offer),
            )
        except TelegramError as error:
            raise _explained(error) from error
        return message.message_id

    async def show_progress(self, edit: Edit, *, stage: Stage | None, position: int) -> None:
        """See `Courier.show_progress`."""
        await self._say(edit, self._status(edit, stage, position), self._keyboards.working(edit))

    async def show_failure(self, edit: Edit, error: BotError) -> None:
        """See `Courier.show_failure`."""
        again = not isinstance(error, NothingFoundError) and error.message_id not in _FINAL
        await self._say(edit, self._texts.error(edit.language, error), self._keyboards.failed(edit, again=again))

    async def show_cancelled(self, edit: Edit) -> None:
        """See `Courier.show_cancelled`."""
        await self._say(
            edit, self._texts.get(edit.language, "status-cancelled"), self._keyboards.failed(edit, again=True)
        )

    def _status(self, edit: Edit, stage: Stage | None, position: int) -> str:
        if edit.state is State.WAITING_FOR_MASK:
            if self._keyboards.app_url is None:
                return self._texts.get(edit.language, "paint-in-telegram")
            return self._texts.get(edit.language, "paint" if edit.chat == edit.person else "paint-in-private")
        if stage is not None:
            return self._texts.get(edit.language, f"status-{stage}")
        if position > 0:
            return self._texts.get(edit.language, "status-position", position=position)
        return self._texts.get(edit.language, "status-waiting")

    async def _say(self, edit: Edit, text: str, keyboard: InlineKeyboardMarkup | None) -> None:
        """Put words into the status message: its text, or its caption where it already is a picture."""
        if edit.status_message is None:
            return
        try:
            if edit.parent is not None and await self._say_below_picture(edit, text, keyboard):
                return
            await self._bot.edit_message_text(text, edit.chat, edit.status_message, reply_markup=keyboard)
        except BadRequest as error:
            if not _says(error, "not modified"):
                raise _explained(error) from error
        except TelegramError as error:
            raise _explained(error) from error

    async def _say_below_picture(self, edit: Edit, text: str, keyboard: InlineKeyboardMarkup | None) -> bool:
        """Put words into the caption of a status message that is a picture; False where it is none."""
        try:
            await self._bot.edit_message_caption(edit.chat, edit.status_message, caption=text, reply_markup=keyboard)
        except BadRequest as error:
            if not _says(error, "no caption in the message to edit"):
                raise
            return False
        return True

    @contextlib.asynccontextmanager
    async def busy(self, edit: Edit) -> AsyncIterator[None]:
        """See `Courier.busy`."""
        action = ChatAction.UPLOAD_DOCUMENT if _as_file(edit) else ChatAction.UPLOAD_PHOTO
        task = asyncio.create_task(self._keep_acting(edit.chat, action))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep_acting(self, chat: int, action: ChatAction) -> None:
        while True:
            try:
                await self._bot.send_chat_action(chat, action)
            except TelegramError as error:
                log.debug("chat_action_failed", reason=type(error).__name__)
            await asyncio.sleep(ACTION_SECONDS)

    async def fetch(self, photo: PhotoRef, *, max_bytes: int) -> bytes:
        """See `Courier.fetch`."""
        if photo.size is not None and photo.size > max_bytes:
            raise too_large(photo.size, max_bytes)
        try:
            file = await self._bot.get_file(photo.file_id)
            if file.file_size is not None and file.file_size > max_bytes:
                raise too_large(file.file_size, max_bytes)
            data = bytes(await self._download(file))
        except BadRequest as error:
            if _says(error, "file is too big"):
                raise too_large(photo.size or 20_000_000, min(max_bytes, 20_000_000)) from error
            raise PersonError("photo-gone") from error
        except TelegramError as error:
            raise _explained(error) from error
        if len(data) > max_bytes:
            raise too_large(len(data), max_bytes)
        return data

    async def _download(self, file: object) -> bytearray:
        from telegram import File

        assert isinstance(file, File)
        for attempt in range(1, POST_TRIES + 1):
            try:
                return await file.download_as_bytearray()
            except RetryAfter as error:
                if attempt == POST_TRIES:
                    raise
                pause = seconds(error)
            except NetworkError as error:
                if isinstance(error, BadRequest) or attempt == POST_TRIES:
                    raise
                pause = 0.3 * 2**attempt
            await asyncio.sleep(min(pause, LONGEST_RETRY_AFTER))
        raise AssertionError("unreachable")

    async def deliver(self, edit: Edit, made: Made) -> PhotoRef:
        """See `Courier.deliver`."""
        assert edit.status_message is not None
        data = await asyncio.to_thread(made.path.read_bytes)
        if len(data) > FILE_BYTES:
            raise PersonError("result-too-large", megabytes=round(len(data) / 1e6))
        as_file = edit.photo.as_file or made.format != "JPEG" or not fits_as_photo(made, len(data))
        caption = self._texts.lines(edit.language, [f"done-{edit.operation}", *made.notes])
        name = result_name(edit, made)
        media: InputMedia
        if as_file:
            media = InputMediaDocument(data, caption=caption, filename=name, disable_content_type_detection=True)
        else:
            media = InputMediaPhoto(data, caption=caption, filename=name)
        try:
            answer = await self._bot.edit_message_media(
                media, edit.chat, edit.status_message, reply_markup=self._keyboards.result(edit)
            )
        except BadRequest as error:
            if _says(error, "not modified"):  # the answer to an earlier try was lost
                return edit.result or await self._delivered(edit)
            raise _explained(error) from error
        except TelegramError as error:
            raise _explained(error) from error
        return _picture_of(answer)

    async def _delivered(self, edit: Edit) -> PhotoRef:
        """The picture in the status message. Only an edit that changes something is answered with the message."""
        picture: PhotoRef | None = None
        for keyboard in (None, self._keyboards.result(edit)):
            try:
                answer = await self._bot.edit_message_reply_markup(
                    edit.chat, edit.status_message, reply_markup=keyboard
                )
            except BadRequest as error:
                if not _says(error, "not modified"):
                    raise _explained(error) from error
            except TelegramError as error:
                raise _explained(error) from error
            else:
                picture = _picture_of(answer)
        if picture is None:
            raise WorldError("telegram-trouble", reason="the picture is not shown", passes=True)
        return picture


_FINAL = frozenset(
    {
        "photo-broken",
        "photo-unreadable",
        "photo-empty",
        "photo-too-large",
        "photo-too-many-pixels",
        "photo-too-small",
        "photo-gone",
        "photo-poison",
        "cloud-refused",
        "result-too-large",
        "mask-broken",
        "mask-everything",
        "mask-wrong-shape",
    }
)
"""What trying again would not change."""


def fits_as_photo(made: Made, size: int) -> bool:
    """Whether Telegram takes the picture as a photo (sendPhoto's rules)."""
    sides, ratio = made.width + made.height, max(made.width, made.height) / min(made.width, made.height)
    return sides <= PHOTO_SIDES and ratio <= PHOTO_RATIO and size <= PHOTO_BYTES


def result_name(edit: Edit, made: Made) -> str:
    """A file name for the answer: the photo's own stem, made harmless, and what was done."""
    stem = re.sub(r"[^\w .-]+", "_", PurePosixPath((edit.photo.name or "photo").replace("\\", "/")).stem)[:60].strip()
    ending = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}[made.format]
    what = {Operation.REMOVE_SUBJECT: "clean", Operation.REMOVE_BACKGROUND: "subject", Operation.ERASE: "clean"}
    return f"{stem or 'photo'}-{what[edit.operation]}.{ending}"


def too_large(size: int, limit: int) -> PersonError:
    """The file is larger than it may be, both in bytes."""
    return PersonError("photo-too-large", megabytes=round(size / 1e6, 1), limit=round(limit / 1e6))


def _as_file(edit: Edit) -> bool:
    return edit.photo.as_file or edit.finish == "transparent"


def _picture_of(answer: Message | bool) -> PhotoRef:
    assert isinstance(answer, Message), "Telegram answers an edit of the bot's own message with the message"
    if answer.photo:
        return PhotoRef(answer.photo[-1].file_id, answer.photo[-1].file_unique_id)
    assert answer.document is not None
    return PhotoRef(
        answer.document.file_id, answer.document.file_unique_id, as_file=True, name=answer.document.file_name
    )


def _says(error: TelegramError, words: str) -> bool:
    return words in error.message.lower()


def _explained(error: TelegramError) -> BotError:
    """Telegram's error as one of ours."""
    if isinstance(error, Forbidden):
        return ChatGoneError("chat-gone", reason=error.message)
    if isinstance(error, InvalidToken):
        return OperatorError("wrong-token")
    if isinstance(error, BadRequest):
        if _says(error, "message to edit not found") or _says(error, "message can't be edited"):
            return StatusGoneError("status-gone")
        if _says(error, "chat not found"):
            return ChatGoneError("chat-gone", reason=error.message)
        return WorldError("telegram-trouble", reason=error.message)
    return WorldError("telegram-trouble", reason=type(error).__name__, passes=True)
