"""Buttons under the bot's messages, and their callback data.

``e:ID:ACTION`` for an edit, ``o:ID:OPERATION`` or ``o:ID:OPERATION:FINISH`` for an offer, ``d:yes:PERSON`` and
``d:no:PERSON`` for a deletion; ``s:…`` for settings is in `settings_keyboard`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, WebAppInfo

from bot.edits.bare_photos import AlbumCount, Offer
from bot.edits.finishes import BLURS, FINISHES
from bot.edits.model import DOUBTFUL, MAX_TRIES, Edit, EditCommand, Operation, State, Tries
from bot.texts import Texts

PRIVATE_START_PREFIX = "e_"
"""Prefix of a link's start parameter; the id of a group's edit that goes on in the private chat follows."""

COLOURS = (
    ("🔴", "#e53935"),
    ("🟠", "#fb8c00"),
    ("🟡", "#fdd835"),
    ("🟢", "#43a047"),
    ("🔵", "#1e88e5"),
    ("🟣", "#8e24aa"),
    ("🟤", "#795548"),
    ("🌸", "#f8bbd0"),
    ("☁️", "#cfd8dc"),
)
"""The colours to put behind a cut-out by a button; any other is named in words: ``/remove_background #ff8800``."""

PAINTABLE_ERRORS = (
    DOUBTFUL,
    "nothing-found",
    "nothing-else-found",
    "keep-nothing-painted",
    "keep-not-the-same-photo",
)
"""Errors after which the person can mark the subject by hand."""


class Keyboards:
    """Builds keyboards.

    Args:
        texts: The labels.
        app_url: Address of the Mini App's page; None: no buttons that open it.
        username: Returns the bot's user name, which is known after `initialize`.
    """

    def __init__(self, texts: Texts, app_url: str | None, username: Callable[[], str]) -> None:
        self._texts = texts
        self.app_url = app_url
        self._username = username

    def offer(self, offer: Offer) -> InlineKeyboardMarkup:
        """Under the question what to do with a photo: a button for each operation."""
        return InlineKeyboardMarkup(
            [
                [self._button(offer.language, f"button-{operation}", f"o:{offer.id}:{operation}")]
                for operation in Operation
            ]
        )

    def album_count(self, count: AlbumCount) -> InlineKeyboardMarkup | None:
        """Under the count of an album's answers: stop the rest, and continue with the refused photos."""
        rows = []
        if count.refused:
            label = self._texts.get(count.language, "button-go-on", photos=len(count.refused))
            data = f"o:{count.refused[0]}:{count.operation}"
            rows.append([InlineKeyboardButton(label, callback_data=data)])
        if count.ended < count.photos:
            rows.append([self._button(count.language, "button-cancel", f"e:{count.edit}:stop-album")])
        return InlineKeyboardMarkup(rows) if rows else None

    def working(self, edit: Edit) -> InlineKeyboardMarkup:
        """Under a status message: cancel, and the canvas if the edit waits for a mask."""
        rows = [[self._button(edit.language, "button-cancel", f"e:{edit.id}:cancel")]]
        canvas = self.canvas(edit, "button-open-canvas") if edit.state is State.WAITING_FOR_MASK else None
        return InlineKeyboardMarkup([[canvas], *rows] if canvas else rows)

    def failed(self, edit: Edit, *, can_retry: bool, can_go_back: bool = False) -> InlineKeyboardMarkup | None:
        """Under a failure or a doubtful find: try again, something else, paint it yourself, back; each if it can help.

        Args:
            edit: The edit.
            can_retry: Whether another try may succeed.
            can_go_back: Whether there is an earlier result to show again.
        """
        rows = []
        if can_retry:
            label = f"button-take-{edit.operation}" if edit.is_doubtful else "button-retry"
            rows.append([self._button(edit.language, label, f"e:{edit.id}:retry")])
        if edit.is_doubtful:
            rows.append([self._button(edit.language, "button-else", f"e:{edit.id}:else")])
        if edit.error in PAINTABLE_ERRORS:
            rows.append([self._button(edit.language, "button-paint", f"e:{edit.id}:fix")])
        if can_go_back:
            rows.append([self._button(edit.language, "button-back", f"e:{edit.id}:back")])
        return InlineKeyboardMarkup(rows) if rows else None

    def which(self, edit: Edit, numbers: Sequence[int], *, can_go_back: bool) -> InlineKeyboardMarkup:
        """Under the numbered objects: each number, several, all, paint it yourself, and back or cancel.

        Args:
            edit: The edit.
            numbers: Numbers of the objects in the picture.
            can_go_back: Whether there is an earlier result to show again.
        """
        rows = _in_rows([_fixed_label_button(str(number), edit, f"n-{number}") for number in numbers])
        if len(numbers) > 1:
            rows.append(
                [
                    self._button(edit.language, "button-several", f"e:{edit.id}:several"),
                    self._button(edit.language, "button-all", f"e:{edit.id}:all"),
                ]
            )
        rows.append([self._button(edit.language, "button-paint", f"e:{edit.id}:fix")])
        rows.append([self._back_or_cancel(edit, can_go_back=can_go_back)])
        return InlineKeyboardMarkup(rows)

    def several(self, edit: Edit, marked: Mapping[int, bool], *, can_go_back: bool) -> InlineKeyboardMarkup:
        """Under the numbered objects while the person marks several: a checkbox for each number, and go on."""
        rows = _in_rows(
            [
                _fixed_label_button(f"✅ {number}", edit, f"off-{number}")
                if chosen
                else _fixed_label_button(f"⬜️ {number}", edit, f"on-{number}")
                for number, chosen in marked.items()
            ]
        )
        rows.append([self._button(edit.language, f"button-take-{edit.operation}", f"e:{edit.id}:marked")])
        rows.append([self._back_or_cancel(edit, can_go_back=can_go_back)])
        return InlineKeyboardMarkup(rows)

    def _back_or_cancel(self, edit: Edit, *, can_go_back: bool) -> InlineKeyboardButton:
        label, verb = ("button-back", "back") if can_go_back else ("button-cancel", "cancel")
        return self._button(edit.language, label, f"e:{edit.id}:{verb}")

    def result(self, edit: Edit, tries: Tries | None = None) -> InlineKeyboardMarkup:
        """Under a result: the tries, other finishes or another try, the shadow, something else, fix by hand, original.

        Args:
            edit: The edit, with the result's notes.
            tries: Its place among the tries; None: it is the only one.
        """
        tries, original = tries or Tries(), self._button(edit.language, "button-original", f"e:{edit.id}:original")
        rows = []
        if edit.operation is Operation.REMOVE_BACKGROUND:
            shown = "blur" if edit.finish in BLURS else edit.finish
            others = [finish for finish in FINISHES if finish != shown]
            buttons = [self._button(edit.language, f"button-{name}", f"e:{edit.id}:f-{name}") for name in others]
            if edit.finish in BLURS:
                rows.append(self._blurs(edit))
            rows += _in_rows([*buttons, self._button(edit.language, "button-colours", f"e:{edit.id}:colours")])
        else:
            if tries.count > 1:
                place = ("‹", "prev"), (f"{tries.number}/{tries.count}", "count"), ("›", "next")
                rows.append([_fixed_label_button(label, edit, verb) for label, verb in place])
            rows.append([original])
            if tries.count < MAX_TRIES:
                another = f"e:{edit.id}:another-{tries.count + 1}"
                rows[-1].insert(0, self._button(edit.language, "button-another", another))
        if edit.operation is Operation.REMOVE_SUBJECT and ("note-shadow" in edit.notes or not edit.shadow):
            label, verb = (
                ("button-shadow-stays", "shadow-stays") if edit.shadow else ("button-shadow-goes", "shadow-goes")
            )
            rows.append([self._button(edit.language, label, f"e:{edit.id}:{verb}")])
        canvas = self.canvas(edit, "button-fix") if edit.is_private else None
        last = [canvas or self._button(edit.language, "button-fix", f"e:{edit.id}:fix")]
        if edit.operation is not Operation.ERASE:
            last.insert(0, self._button(edit.language, "button-else", f"e:{edit.id}:else"))
        rows.append(last)
        if edit.operation is Operation.REMOVE_BACKGROUND:
            rows.append([original])
        return InlineKeyboardMarkup(rows)

    def _blurs(self, edit: Edit) -> list[InlineKeyboardButton]:
        """Less and more blur than the edit's."""
        index = BLURS.index(edit.finish)
        steps = [("button-blur-weaker", index - 1), ("button-blur-stronger", index + 1)]
        return [
            self._button(edit.language, label, f"e:{edit.id}:f-{BLURS[step]}")
            for label, step in steps
            if 0 <= step < len(BLURS)
        ]

    def original(self, edit: Edit) -> InlineKeyboardMarkup:
        """Under the photo as it was sent: back to the result."""
        return InlineKeyboardMarkup([[self._button(edit.language, "button-back", f"e:{edit.id}:result")]])

    def colours(self, edit: Edit) -> InlineKeyboardMarkup:
        """Under a cut-out: colours to put behind it, another colour or a picture, and back to the other finishes."""
        rows = _in_rows([_fixed_label_button(sign, edit, f"f-{colour}") for sign, colour in COLOURS])
        rows.append([self._button(edit.language, "button-picture", f"e:{edit.id}:picture")])
        rows.append([self._button(edit.language, "button-back", f"e:{edit.id}:finishes")])
        return InlineKeyboardMarkup(rows)

    def canvas(self, edit: Edit, label: str) -> InlineKeyboardButton | None:
        """The button that opens the Mini App; None without a Mini App.

        Telegram allows web app buttons in private chats only. In a group the button is a link that opens the private
        chat and sends /start with the edit's id (docs/telegram.md#opening-the-mini-app).
        """
        if self.app_url is None:
            return None
        if not edit.is_private:
            link = f"https://t.me/{self._username()}?start={PRIVATE_START_PREFIX}{edit.id}"
            return InlineKeyboardButton(self._texts.get(edit.language, label), url=link)
        return InlineKeyboardButton(
            self._texts.get(edit.language, label), web_app=WebAppInfo(f"{self.app_url}?edit={edit.id}")
        )

    def _button(self, language: str, label: str, data: str) -> InlineKeyboardButton:
        return InlineKeyboardButton(self._texts.get(language, label), callback_data=data)


def delete_data(texts: Texts, language: str, person: int) -> InlineKeyboardMarkup:
    """Under the question whether to delete a person's data."""
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(texts.get(language, "button-delete-data"), callback_data=f"d:yes:{person}")],
            [InlineKeyboardButton(texts.get(language, "button-keep-data"), callback_data=f"d:no:{person}")],
        ]
    )


def try_again(texts: Texts, offer: Offer, command: EditCommand) -> InlineKeyboardMarkup:
    """Under the refusal of a photo."""
    data = f"o:{offer.id}:{command.operation}:{command.finish or ''}"
    return InlineKeyboardMarkup([[InlineKeyboardButton(texts.get(offer.language, "button-retry"), callback_data=data)]])


def _fixed_label_button(label: str, edit: Edit, verb: str) -> InlineKeyboardButton:
    """A button whose label is the same in all languages."""
    return InlineKeyboardButton(label, callback_data=f"e:{edit.id}:{verb}")


def _in_rows(buttons: Sequence[InlineKeyboardButton]) -> list[list[InlineKeyboardButton]]:
    """Buttons in rows of three: wide enough for a thumb."""
    return [list(buttons[first : first + 3]) for first in range(0, len(buttons), 3)]
