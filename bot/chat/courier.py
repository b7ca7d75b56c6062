"""Fetches photos, edits status messages and delivers results over the Bot API: the `Courier` port of `bot.edits`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict

import structlog
from telegram import (
    InlineKeyboardMarkup,
    InputMedia,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
)
from telegram.constants import ChatAction
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import ExtBot

from bot.chat.api.bot_api_errors import description_contains, is_not_modified, to_bot_error, translated_errors
from bot.chat.api.fetching import FileFetcher
from bot.chat.api.message_ids import MessageIds
from bot.chat.api.posting import Poster
from bot.chat.file_rules import MAX_DOCUMENT_BYTES, must_be_file, result_name
from bot.chat.reactions import Reactions
from bot.chat.views.keyboards import Keyboards
from bot.chat.views.result_messages import ResultMessages
from bot.chat.views.waiting_times import with_waiting_time
from bot.edits.bare_photos import AlbumCount, Offer
from bot.edits.finishes import WITH_ALPHA
from bot.edits.model import AlbumPlace, DeletionRequest, Edit, Operation, PhotoRef, Stage, State, Tries
from bot.edits.person_settings import Delivery
from bot.edits.ports import LostMessageSearch, ResultFile
from bot.errors import BotError, OutageError, UnusableInputError
from bot.texts import Texts

log = structlog.get_logger()

ACTION_SECONDS = 4.0
"""Interval of chat actions. Telegram shows one for 5 s at most (docs/telegram.md#chat-actions)."""


class TelegramCourier:
    """The `Courier` for Telegram.

    Args:
        bot: The Bot API.
        message_ids: Ids of the messages that `bot` sends and receives.
        texts: The catalogues.
        keyboards: Buttons under the status message.
        reactions: Sets reactions; None: none are set.
    """

    def __init__(
        self,
        bot: ExtBot[None],
        message_ids: MessageIds,
        texts: Texts,
        keyboards: Keyboards,
        reactions: Reactions | None = None,
    ) -> None:
        self._bot = bot
        self._texts = texts
        self._keyboards = keyboards
        self._reactions = reactions
        self._poster = Poster(bot, message_ids)
        self._fetcher = FileFetcher(bot)
        self._results = ResultMessages(bot, texts, keyboards)

    def highest(self, about: Edit | Offer) -> int:
        """See `Courier.highest`."""
        return self._poster.highest(about.chat, about.message)

    async def post_status(
        self,
        edit: Edit,
        *,
        position: int,
        seconds: float | None = None,
        album: AlbumPlace | None = None,
        lost: LostMessageSearch | None,
    ) -> int:
        """See `Courier.post_status`."""
        text, keyboard = self._status_text(edit, None, position, seconds, album), self._keyboards.working(edit)
        return await self._poster.post(edit.chat, edit.message, text, keyboard, lost, edit.thread)

    async def mark_seen(self, edit: Edit, album: str | None) -> None:
        """See `Courier.mark_seen`."""
        if self._reactions is not None:
            await self._reactions.mark_seen(edit.chat, edit.message, album)

    async def post_offer(self, offer: Offer, *, photos: int, lost: LostMessageSearch | None) -> int:
        """See `Courier.post_offer`."""
        text = self._question(offer, photos)
        keyboard = self._keyboards.offer(offer)
        return await self._poster.post(offer.chat, offer.message, text, keyboard, lost, offer.thread)

    async def show_question(self, offer: Offer, *, photos: int = 1) -> None:
        """See `Courier.show_question`."""
        text = self._question(offer, photos)
        with translated_errors():
            await self._bot.edit_message_text(
                text, offer.chat, offer.status_message, reply_markup=self._keyboards.offer(offer)
            )

    def _question(self, offer: Offer, photos: int) -> str:
        if photos > 1:
            return self._texts.get(offer.language, "choose-album", photos=photos)
        return self._texts.get(offer.language, "choose")

    async def show_album_count(self, chat: int, message: int, count: AlbumCount) -> None:
        """See `Courier.show_album_count`."""
        name = "album-working" if count.ended < count.photos else "album-ended"
        text = self._texts.get(count.language, name, done=count.done, photos=count.photos)
        text = with_waiting_time(self._texts, count.language, text, count.seconds)
        with translated_errors():
            await self._bot.edit_message_text(text, chat, message, reply_markup=self._keyboards.album_count(count))

    async def remove_question(self, offer: Offer, message: int) -> None:
        """See `Courier.remove_question`."""
        with translated_errors():
            await self._bot.delete_message(offer.chat, message)

    async def show_progress(
        self,
        edit: Edit,
        *,
        stage: Stage | None,
        position: int,
        seconds: float | None = None,
        album: AlbumPlace | None = None,
    ) -> None:
        """See `Courier.show_progress`."""
        text = self._status_text(edit, stage, position, seconds, album)
        await self._set_text(edit, text, self._keyboards.working(edit))

    async def show_failure(
        self, edit: Edit, error: BotError, picture: bytes | None = None, *, can_go_back: bool = False
    ) -> None:
        """See `Courier.show_failure`."""
        text = self._failure_text(edit, error)
        keyboard = self._keyboards.failed(edit, can_retry=error.retry_may_help, can_go_back=can_go_back)
        if picture is None or edit.status_message is None:
            await self._set_text(edit, text, keyboard)
        else:
            await self._set_picture(edit, picture, text, keyboard)

    def _failure_text(self, edit: Edit, error: BotError) -> str:
        """The text of a failure. Nothing found and a doubtful find have a text for each operation."""
        on_canvas = error.message_id == "nothing-found" and self._keyboards.app_url is not None
        if on_canvas or error.message_id == "doubtful":
            return self._texts.get(edit.language, f"{error.message_id}-{edit.operation}")
        return self._texts.error(edit.language, error)

    async def ask_which(self, edit: Edit, numbers: Sequence[int], picture: bytes, *, can_go_back: bool) -> None:
        """See `Courier.ask_which`."""
        text = self._texts.get(edit.language, f"which-{edit.operation}")
        await self._set_picture(edit, picture, text, self._keyboards.which(edit, numbers, can_go_back=can_go_back))

    async def show_marked(self, edit: Edit, marked: Mapping[int, bool], *, can_go_back: bool) -> None:
        """See `Courier.show_marked`."""
        keyboard = self._keyboards.several(edit, marked, can_go_back=can_go_back)
        with translated_errors():
            await self._bot.edit_message_reply_markup(edit.chat, edit.status_message, reply_markup=keyboard)

    async def _set_picture(self, edit: Edit, picture: bytes, text: str, keyboard: InlineKeyboardMarkup | None) -> None:
        """Turn the status message into a picture with a caption."""
        media = InputMediaPhoto(picture, caption=text, filename="found.jpg", has_spoiler=edit.photo.spoiler)
        with translated_errors():
            await self._bot.edit_message_media(media, edit.chat, edit.status_message, reply_markup=keyboard)

    async def show_cancelled(self, edit: Edit, *, can_go_back: bool = False, followers: int = 0) -> None:
        """See `Courier.show_cancelled`."""
        keyboard = self._keyboards.failed(edit, can_retry=True, can_go_back=can_go_back)
        name = "status-cancelled-album" if followers else "status-cancelled"
        await self._set_text(edit, self._texts.get(edit.language, name, photos=followers), keyboard)

    async def show_receipt(self, request: DeletionRequest, *, edits: int, files: int) -> None:
        """See `Courier.show_receipt`."""
        text = self._texts.get(request.language, "data-deleted", edits=edits, files=files)
        try:
            await self._bot.edit_message_text(text, request.chat, request.message)
        except (BadRequest, Forbidden) as error:  # sent before a crash, deleted, or the person has blocked the bot
            log.info("receipt_not_shown", reason=type(error).__name__)
        except TelegramError as error:
            raise to_bot_error(error) from error

    def _status_text(
        self, edit: Edit, stage: Stage | None, position: int, seconds: float | None, album: AlbumPlace | None
    ) -> str:
        if edit.state is State.WAITING_FOR_MASK:
            request = "keep" if edit.operation is Operation.REMOVE_BACKGROUND else "paint"
            if self._keyboards.app_url is None:
                return self._texts.get(edit.language, f"{request}-in-telegram")
            return self._texts.get(edit.language, request if edit.is_private else "paint-in-private")
        if stage is not None:
            text = self._texts.get(edit.language, f"status-{stage}")
        elif position > 0:
            text = self._texts.get(edit.language, "status-position", position=position)
        else:
            text = self._texts.get(edit.language, "status-waiting")
        if album is not None:
            text = self._texts.get(edit.language, "status-in-album", text=text, **asdict(album))
        return with_waiting_time(self._texts, edit.language, text, seconds)

    async def _set_text(self, edit: Edit, text: str, keyboard: InlineKeyboardMarkup | None) -> None:
        """Set the status message's text, or its caption if it is a picture already."""
        if edit.status_message is None:
            return
        methods = [self._edit_text, self._edit_caption]
        shows_find = edit.operation is not Operation.ERASE and edit.has_mask
        if edit.parent is not None or shows_find:  # then the message is probably a picture: a result, or the find
            methods.reverse()
        with translated_errors():
            for method in methods:
                if await method(edit, text, keyboard):
                    return

    async def _edit_text(self, edit: Edit, text: str, keyboard: InlineKeyboardMarkup | None) -> bool:
        """Edit the status message's text; returns False if the message is a picture."""
        try:
            await self._bot.edit_message_text(text, edit.chat, edit.status_message, reply_markup=keyboard)
        except BadRequest as error:
            if not description_contains(error, "no text in the message to edit"):
                raise
            return False
        return True

    async def _edit_caption(self, edit: Edit, text: str, keyboard: InlineKeyboardMarkup | None) -> bool:
        """Edit the status message's caption; returns False if the message is not a picture."""
        try:
            await self._bot.edit_message_caption(edit.chat, edit.status_message, caption=text, reply_markup=keyboard)
        except BadRequest as error:
            if not description_contains(error, "no caption in the message to edit"):
                raise
            return False
        return True

    @contextlib.asynccontextmanager
    async def busy(self, edit: Edit) -> AsyncIterator[None]:
        """See `Courier.busy`."""
        action = ChatAction.UPLOAD_DOCUMENT if _is_sent_as_file(edit) else ChatAction.UPLOAD_PHOTO
        task = asyncio.create_task(self._repeat_action(edit, action))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _repeat_action(self, edit: Edit, action: ChatAction) -> None:
        while True:
            try:
                await self._bot.send_chat_action(edit.chat, action, message_thread_id=edit.thread)
            except TelegramError as error:
                log.debug("chat_action_failed", reason=type(error).__name__)
            await asyncio.sleep(ACTION_SECONDS)

    async def fetch(self, photo: PhotoRef, *, max_bytes: int) -> bytes:
        """See `Courier.fetch`."""
        return await self._fetcher.fetch(photo, max_bytes)

    async def deliver(self, edit: Edit, made: ResultFile, tries: Tries, delivery: Delivery) -> PhotoRef:
        """See `Courier.deliver`."""
        assert edit.status_message is not None
        data = await asyncio.to_thread(made.path.read_bytes)
        if len(data) > MAX_DOCUMENT_BYTES:
            raise UnusableInputError("result-too-large", megabytes=round(len(data) / 1e6))
        as_file = must_be_file(edit, made, data, delivery)
        caption, keyboard = self._results.caption(edit), self._keyboards.result(edit, tries)
        name = result_name(edit, made)
        media: InputMedia
        if as_file:
            media = InputMediaDocument(data, caption=caption, filename=name, disable_content_type_detection=True)
        else:
            media = InputMediaPhoto(data, caption=caption, filename=name, has_spoiler=edit.photo.spoiler)
        try:
            answer = await self._bot.edit_message_media(media, edit.chat, edit.status_message, reply_markup=keyboard)
        except BadRequest as error:
            if is_not_modified(error):  # an earlier attempt succeeded, but its answer was lost
                return edit.result or await self._delivered_picture(edit, keyboard)
            raise to_bot_error(error) from error
        except TelegramError as error:
            raise to_bot_error(error) from error
        return _picture_of(answer)

    async def show_result(self, edit: Edit, tries: Tries) -> None:
        """See `Courier.show_result`."""
        await self._results.show_result(edit, tries)

    async def show_original(self, edit: Edit, photo: PhotoRef) -> None:
        """See `Courier.show_original`."""
        await self._results.show_original(edit, photo)

    async def show_colours(self, edit: Edit) -> None:
        """See `Courier.show_colours`."""
        await self._set_buttons(edit, self._keyboards.colours(edit))

    async def show_finishes(self, edit: Edit) -> None:
        """See `Courier.show_finishes`."""
        await self._set_buttons(edit, self._keyboards.result(edit))

    async def _set_buttons(self, edit: Edit, keyboard: InlineKeyboardMarkup) -> None:
        with translated_errors():
            await self._bot.edit_message_reply_markup(edit.chat, edit.status_message, reply_markup=keyboard)

    async def _delivered_picture(self, edit: Edit, keyboard: InlineKeyboardMarkup) -> PhotoRef:
        """The picture in the status message.

        Telegram returns a message only from a call that changes it, so the buttons are removed and set again.
        """
        picture: PhotoRef | None = None
        for shown in (None, keyboard):
            try:
                answer = await self._bot.edit_message_reply_markup(edit.chat, edit.status_message, reply_markup=shown)
            except BadRequest as error:
                if not is_not_modified(error):
                    raise to_bot_error(error) from error
            except TelegramError as error:
                raise to_bot_error(error) from error
            else:
                picture = _picture_of(answer)
        if picture is None:
            raise OutageError("telegram-trouble", reason="the status message has no picture")
        return picture


def _is_sent_as_file(edit: Edit) -> bool:
    return edit.photo.as_file or edit.finish in WITH_ALPHA or edit.finish == "mask"


def _picture_of(answer: Message | bool) -> PhotoRef:
    assert isinstance(answer, Message), "Telegram answers an edit of the bot's own message with the message"
    if answer.photo:
        return PhotoRef(answer.photo[-1].file_id, answer.photo[-1].file_unique_id)
    assert answer.document is not None
    return PhotoRef(
        answer.document.file_id, answer.document.file_unique_id, as_file=True, name=answer.document.file_name
    )
