"""Buttons under the bot's messages. Callback data carries an opaque id and what to do: ``e:ID:cancel``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, WebAppInfo

from bot.chat.texts import Texts
from bot.edits.model import DOUBTFUL, FINISHES, Edit, Offer, Operation, State

PRIVATELY = "e_"
"""What a link's start parameter begins with that asks to go on with a group's edit in private."""

PAINTING_HELPS = (DOUBTFUL, "nothing-found", "nothing-else-found", "keep-nothing-painted", "keep-not-the-same-photo")
"""Why an edit may have failed where the person can show by hand what is meant."""


class Keyboards:
    """Builds keyboards.

    Args:
        texts: The labels.
        app_url: Address of the Mini App's page; None: there is none, and no button for it.
        username: Tells the bot's name, once it is known; None: no links into the private chat are made.
    """

    def __init__(self, texts: Texts, app_url: str | None, username: Callable[[], str] | None = None) -> None:
        self._texts = texts
        self.app_url = app_url
        self._username = username

    def offer(self, offer: Offer) -> InlineKeyboardMarkup:
        """Under a photo that came without a word: what should go?"""
        return InlineKeyboardMarkup(
            [
                [self._button(offer.language, f"button-{operation}", f"o:{offer.id}:{operation}")]
                for operation in Operation
            ]
        )

    def working(self, edit: Edit) -> InlineKeyboardMarkup:
        """Under a status message: cancel; where the photo waits to be painted on: the canvas."""
        rows = [[self._button(edit.language, "button-cancel", f"e:{edit.id}:cancel")]]
        canvas = self.canvas(edit, "button-open-canvas") if edit.state is State.WAITING_FOR_MASK else None
        return InlineKeyboardMarkup([[canvas], *rows] if canvas else rows)

    def failed(self, edit: Edit, *, again: bool, can_go_back: bool = False) -> InlineKeyboardMarkup | None:
        """Under a failure or a question: try again, something else, paint it yourself, back; each where it helps.

        Args:
            edit: The edit.
            again: Whether trying again may help.
            can_go_back: Whether there is a result to go back to.
        """
        rows = []
        if again:
            label = f"button-take-{edit.operation}" if edit.is_doubtful else "button-retry"
            rows.append([self._button(edit.language, label, f"e:{edit.id}:retry")])
        if edit.is_doubtful:
            rows.append([self._button(edit.language, "button-else", f"e:{edit.id}:else")])
        if edit.error in PAINTING_HELPS:
            rows.append([self._button(edit.language, "button-paint", f"e:{edit.id}:fix")])
        if can_go_back:
            rows.append([self._button(edit.language, "button-back", f"e:{edit.id}:back")])
        return InlineKeyboardMarkup(rows) if rows else None

    def which(self, edit: Edit, numbers: Sequence[int], *, can_go_back: bool) -> InlineKeyboardMarkup:
        """Under the numbered things: one of them at once, several, all, or none of them.

        Args:
            edit: The edit.
            numbers: What the picture shows.
            can_go_back: Whether there is a result to go back to.
        """
        rows = _in_rows([_labelled(str(number), edit, f"n-{number}") for number in numbers])
        if len(numbers) > 1:
            rows.append(
                [
                    self._button(edit.language, "button-several", f"e:{edit.id}:several"),
                    self._button(edit.language, "button-all", f"e:{edit.id}:all"),
                ]
            )
        rows.append([self._button(edit.language, "button-paint", f"e:{edit.id}:fix")])
        rows.append([self._out(edit, can_go_back=can_go_back)])
        return InlineKeyboardMarkup(rows)

    def several(self, edit: Edit, marked: Mapping[int, bool], *, can_go_back: bool) -> InlineKeyboardMarkup:
        """Under the numbered things while the person marks several: each number with its mark, and going on."""
        rows = _in_rows(
            [
                _labelled(f"✅ {number}", edit, f"off-{number}")
                if chosen
                else _labelled(f"⬜️ {number}", edit, f"on-{number}")
                for number, chosen in marked.items()
            ]
        )
        rows.append([self._button(edit.language, f"button-take-{edit.operation}", f"e:{edit.id}:marked")])
        rows.append([self._out(edit, can_go_back=can_go_back)])
        return InlineKeyboardMarkup(rows)

    def _out(self, edit: Edit, *, can_go_back: bool) -> InlineKeyboardButton:
        label, verb = ("button-back", "back") if can_go_back else ("button-cancel", "cancel")
        return self._button(edit.language, label, f"e:{edit.id}:{verb}")

    def result(self, edit: Edit, *, shadow: bool = False) -> InlineKeyboardMarkup:
        """Under a result: other finishes or another try, with the shadow or without, and fixing it by hand.

        Args:
            edit: The edit.
            shadow: Whether a shadow went with the subject.
        """
        rows = []
        if edit.operation is Operation.REMOVE_BACKGROUND:
            others = [finish for finish in FINISHES if finish != edit.finish]
            rows.append(
                [self._button(edit.language, f"button-{finish}", f"e:{edit.id}:f-{finish}") for finish in others]
            )
        else:
            rows.append([self._button(edit.language, "button-another", f"e:{edit.id}:another")])
        if edit.operation is Operation.REMOVE_SUBJECT and (shadow or not edit.shadow):
            label, verb = (
                ("button-shadow-stays", "shadow-stays") if edit.shadow else ("button-shadow-goes", "shadow-goes")
            )
            rows.append([self._button(edit.language, label, f"e:{edit.id}:{verb}")])
        last = [self._button(edit.language, "button-fix", f"e:{edit.id}:fix")]
        if edit.operation is not Operation.ERASE:
            last.insert(0, self._button(edit.language, "button-else", f"e:{edit.id}:else"))
        rows.append(last)
        return InlineKeyboardMarkup(rows)

    def canvas(self, edit: Edit, label: str) -> InlineKeyboardButton | None:
        """The button that opens the Mini App.

        Only private chats take one (BUTTON_TYPE_INVALID elsewhere): in groups it leads into the private chat, where
        /start with the edit's id goes on.
        """
        if self.app_url is None:
            return None
        if edit.chat != edit.person:
            if self._username is None:
                return None
            link = f"https://t.me/{self._username()}?start={PRIVATELY}{edit.id}"
            return InlineKeyboardButton(self._texts.get(edit.language, label), url=link)
        return InlineKeyboardButton(
            self._texts.get(edit.language, label), web_app=WebAppInfo(f"{self.app_url}?edit={edit.id}")
        )

    def _button(self, language: str, label: str, data: str) -> InlineKeyboardButton:
        return InlineKeyboardButton(self._texts.get(language, label), callback_data=data)


def _labelled(label: str, edit: Edit, verb: str) -> InlineKeyboardButton:
    """A button whose label is the same in all languages."""
    return InlineKeyboardButton(label, callback_data=f"e:{edit.id}:{verb}")


def _in_rows(buttons: Sequence[InlineKeyboardButton]) -> list[list[InlineKeyboardButton]]:
    """Buttons of numbers, three in a row: wide enough for a thumb."""
    return [list(buttons[first : first + 3]) for first in range(0, len(buttons), 3)]
