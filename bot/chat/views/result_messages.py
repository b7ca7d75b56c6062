"""The message of a result: its caption and buttons; and stored pictures, shown again by their file ids."""

from __future__ import annotations

from telegram import InlineKeyboardMarkup, InputMediaDocument, InputMediaPhoto
from telegram.ext import ExtBot

from bot.chat.api.bot_api_errors import translated_errors
from bot.chat.views.keyboards import Keyboards
from bot.edits.finishes import BLURS, FINISHES, OWN_PICTURE
from bot.edits.model import Edit, Operation, PhotoRef, Tries
from bot.texts import Texts


class ResultMessages:
    """Words the messages of results, and shows stored pictures in them.

    Args:
        bot: The Bot API.
        texts: The catalogues.
        keyboards: Buttons under the messages.
    """

    def __init__(self, bot: ExtBot[None], texts: Texts, keyboards: Keyboards) -> None:
        self._bot = bot
        self._texts = texts
        self._keyboards = keyboards

    def caption(self, edit: Edit) -> str:
        """What was done, and the notes of the result."""
        done = self._texts.get(edit.language, _done_text(edit), colour=edit.finish)
        return "\n".join([done, *(self._texts.get(edit.language, note) for note in edit.notes)])

    async def show_result(self, edit: Edit, tries: Tries) -> None:
        """See `Courier.show_result`."""
        assert edit.result is not None
        await self._show(edit, edit.result, self.caption(edit), self._keyboards.result(edit, tries))

    async def show_original(self, edit: Edit, photo: PhotoRef) -> None:
        """See `Courier.show_original`."""
        caption = self._texts.get(edit.language, "original-shown")
        await self._show(edit, photo, caption, self._keyboards.original(edit))

    async def _show(self, edit: Edit, photo: PhotoRef, caption: str, keyboard: InlineKeyboardMarkup) -> None:
        """Show a picture that Telegram has, in the way in which it was sent (docs/telegram.md#editing-messages)."""
        media: InputMediaDocument | InputMediaPhoto
        if photo.as_file:
            media = InputMediaDocument(photo.file_id, caption=caption)
        else:
            media = InputMediaPhoto(photo.file_id, caption=caption, has_spoiler=edit.photo.spoiler)
        with translated_errors():
            await self._bot.edit_message_media(media, edit.chat, edit.status_message, reply_markup=keyboard)


def _done_text(edit: Edit) -> str:
    """Id of the text that says what was done."""
    if edit.operation is not Operation.REMOVE_BACKGROUND:
        return f"done-{edit.operation}"
    if edit.finish in BLURS:
        return "done-blur"
    return f"done-{edit.finish}" if edit.finish in (*FINISHES, OWN_PICTURE) else "done-colour"
