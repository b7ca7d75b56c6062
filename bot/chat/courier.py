"""Carries an edit's photo in and its words and picture out, over the Bot API: the `Courier` port of `bot.edits`."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import structlog
from telegram import (
    InlineKeyboardMarkup,
    InputMedia,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
)
from telegram.constants import ChatAction
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.chat.api.flood_limiter import LONGEST_RETRY_AFTER, FloodLimiter, seconds
from bot.chat.api.posting import Poster
from bot.chat.api.refusals import explained, says
from bot.chat.keyboards import Keyboards
from bot.chat.texts import Texts
from bot.edits.model import Edit, Offer, Operation, PhotoRef, Stage, State
from bot.edits.ports import LostMessageSearch, ResultFile
from bot.errors import BotError, OutageError, PersonError, UnusableInputError

log = structlog.get_logger()

ACTION_SECONDS = 4.0
"""A chat action is shown for 5 s at most (Bot API, sendChatAction)."""

PHOTO_SIDES, PHOTO_RATIO, PHOTO_BYTES, FILE_BYTES = 10_000, 20, 10_000_000, 50_000_000
"""sendPhoto: width + height, ratio, size; sendDocument: size (Bot API)."""

FETCH_TRIES = 4


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
        self._poster = Poster(bot, limiter.ids)

    def highest(self, about: Edit | Offer) -> int:
        """See `Courier.highest`."""
        return self._poster.highest(about.chat, about.message)

    async def post_status(self, edit: Edit, *, position: int, lost: LostMessageSearch | None) -> int:
        """See `Courier.post_status`."""
        text, keyboard = self._status(edit, None, position), self._keyboards.working(edit)
        return await self._poster.post(edit.chat, edit.message, text, keyboard, lost)

    async def post_offer(self, offer: Offer, *, lost: LostMessageSearch | None) -> int:
        """See `Courier.post_offer`."""
        text = self._texts.get(offer.language, "choose")
        return await self._poster.post(offer.chat, offer.message, text, self._keyboards.offer(offer), lost)

    async def show_progress(self, edit: Edit, *, stage: Stage | None, position: int) -> None:
        """See `Courier.show_progress`."""
        await self._say(edit, self._status(edit, stage, position), self._keyboards.working(edit))

    async def show_failure(
        self, edit: Edit, error: BotError, picture: bytes | None = None, *, can_go_back: bool = False
    ) -> None:
        """See `Courier.show_failure`."""
        again = error.retry_may_help
        text = self._explanation(edit, error)
        keyboard = self._keyboards.failed(edit, again=again, can_go_back=can_go_back)
        if picture is None or edit.status_message is None:
            await self._say(edit, text, keyboard)
        else:
            await self._show(edit, picture, text, keyboard)

    def _explanation(self, edit: Edit, error: BotError) -> str:
        """What went wrong; what helps differs between the operations where the subject was not found for sure."""
        on_canvas = error.message_id == "nothing-found" and self._keyboards.app_url is not None
        if on_canvas or error.message_id == "doubtful":
            return self._texts.get(edit.language, f"{error.message_id}-{edit.operation}")
        return self._texts.error(edit.language, error)

    async def ask_which(self, edit: Edit, numbers: Sequence[int], picture: bytes, *, can_go_back: bool) -> None:
        """See `Courier.ask_which`."""
        text = self._texts.get(edit.language, f"which-{edit.operation}")
        await self._show(edit, picture, text, self._keyboards.which(edit, numbers, can_go_back=can_go_back))

    async def show_marked(self, edit: Edit, marked: Mapping[int, bool], *, can_go_back: bool) -> None:
        """See `Courier.show_marked`."""
        keyboard = self._keyboards.several(edit, marked, can_go_back=can_go_back)
        with _explained():
            await self._bot.edit_message_reply_markup(edit.chat, edit.status_message, reply_markup=keyboard)

    async def _show(self, edit: Edit, picture: bytes, text: str, keyboard: InlineKeyboardMarkup | None) -> None:
        """Turn the status message into a picture that asks."""
        media = InputMediaPhoto(picture, caption=text, filename="found.jpg")
        with _explained():
            await self._bot.edit_message_media(media, edit.chat, edit.status_message, reply_markup=keyboard)

    async def show_cancelled(self, edit: Edit, *, can_go_back: bool = False) -> None:
        """See `Courier.show_cancelled`."""
        keyboard = self._keyboards.failed(edit, again=True, can_go_back=can_go_back)
        await self._say(edit, self._texts.get(edit.language, "status-cancelled"), keyboard)

    def _status(self, edit: Edit, stage: Stage | None, position: int) -> str:
        if edit.state is State.WAITING_FOR_MASK:
            what = "keep" if edit.operation is Operation.REMOVE_BACKGROUND else "paint"
            if self._keyboards.app_url is None:
                return self._texts.get(edit.language, f"{what}-in-telegram")
            return self._texts.get(edit.language, what if edit.chat == edit.person else "paint-in-private")
        if stage is not None:
            return self._texts.get(edit.language, f"status-{stage}")
        if position > 0:
            return self._texts.get(edit.language, "status-position", position=position)
        return self._texts.get(edit.language, "status-waiting")

    async def _say(self, edit: Edit, text: str, keyboard: InlineKeyboardMarkup | None) -> None:
        """Put words into the status message: its text, or its caption where it already is a picture."""
        if edit.status_message is None:
            return
        ways = [self._say_as_text, self._say_below_picture]
        doubted = edit.operation is not Operation.ERASE and edit.has_mask
        if edit.parent is not None or doubted:  # then it likely is a picture: a result, or what was found
            ways.reverse()
        with _explained():
            for say in ways:
                if await say(edit, text, keyboard):
                    return

    async def _say_as_text(self, edit: Edit, text: str, keyboard: InlineKeyboardMarkup | None) -> bool:
        """Put words into a status message that is only words; False where it is a picture."""
        try:
            await self._bot.edit_message_text(text, edit.chat, edit.status_message, reply_markup=keyboard)
        except BadRequest as error:
            if not says(error, "no text in the message to edit"):
                raise
            return False
        return True

    async def _say_below_picture(self, edit: Edit, text: str, keyboard: InlineKeyboardMarkup | None) -> bool:
        """Put words into the caption of a status message that is a picture; False where it is none."""
        try:
            await self._bot.edit_message_caption(edit.chat, edit.status_message, caption=text, reply_markup=keyboard)
        except BadRequest as error:
            if not says(error, "no caption in the message to edit"):
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
            if says(error, "file is too big"):
                raise too_large(photo.size or 20_000_000, min(max_bytes, 20_000_000)) from error
            raise UnusableInputError("photo-gone") from error
        except TelegramError as error:
            raise explained(error) from error
        if len(data) > max_bytes:
            raise too_large(len(data), max_bytes)
        return data

    async def _download(self, file: object) -> bytearray:
        from telegram import File

        assert isinstance(file, File)
        for attempt in range(1, FETCH_TRIES + 1):
            try:
                return await file.download_as_bytearray()
            except RetryAfter as error:
                if attempt == FETCH_TRIES:
                    raise
                pause = seconds(error)
            except NetworkError as error:
                if isinstance(error, BadRequest) or attempt == FETCH_TRIES:
                    raise
                pause = 0.3 * 2**attempt
            await asyncio.sleep(min(pause, LONGEST_RETRY_AFTER))
        raise AssertionError("unreachable")

    async def deliver(self, edit: Edit, made: ResultFile) -> PhotoRef:
        """See `Courier.deliver`."""
        assert edit.status_message is not None
        data = await asyncio.to_thread(made.path.read_bytes)
        if len(data) > FILE_BYTES:
            raise UnusableInputError("result-too-large", megabytes=round(len(data) / 1e6))
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
                media,
                edit.chat,
                edit.status_message,
                reply_markup=self._keyboards.result(edit, shadow="note-shadow" in made.notes),
            )
        except BadRequest as error:
            if says(error, "not modified"):  # the answer to an earlier try was lost
                return edit.result or await self._delivered(edit)
            raise explained(error) from error
        except TelegramError as error:
            raise explained(error) from error
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
                if not says(error, "not modified"):
                    raise explained(error) from error
            except TelegramError as error:
                raise explained(error) from error
            else:
                picture = _picture_of(answer)
        if picture is None:
            raise OutageError("telegram-trouble", reason="the picture is not shown")
        return picture


def fits_as_photo(made: ResultFile, size: int) -> bool:
    """Whether Telegram takes the picture as a photo (sendPhoto's rules)."""
    sides, ratio = made.width + made.height, max(made.width, made.height) / min(made.width, made.height)
    return sides <= PHOTO_SIDES and ratio <= PHOTO_RATIO and size <= PHOTO_BYTES


def result_name(edit: Edit, made: ResultFile) -> str:
    """A file name for the answer: the photo's own stem, made harmless, and what was done."""
    stem = re.sub(r"[^\w .-]+", "_", PurePosixPath((edit.photo.name or "photo").replace("\\", "/")).stem)[:60].strip()
    ending = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}[made.format]
    what = {Operation.REMOVE_SUBJECT: "clean", Operation.REMOVE_BACKGROUND: "subject", Operation.ERASE: "clean"}
    return f"{stem or 'photo'}-{what[edit.operation]}.{ending}"


def too_large(size: int, limit: int) -> PersonError:
    """The file is larger than it may be, both in bytes."""
    return UnusableInputError("photo-too-large", megabytes=round(size / 1e6, 1), limit=round(limit / 1e6))


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn Telegram's refusals into the bot's own errors; a message that is as it should be already is fine."""
    try:
        yield
    except BadRequest as error:
        if not says(error, "not modified"):
            raise explained(error) from error
    except TelegramError as error:
        raise explained(error) from error


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
