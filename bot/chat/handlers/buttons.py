"""Pressing a button: choose, cancel, try again, another try or background, the shadow, fix by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from telegram import CallbackQuery, Update
from telegram.error import TelegramError

from bot.chat.house import Context
from bot.edits.model import Operation
from bot.errors import PersonError


async def pressed(update: Update, context: Context) -> None:
    """Do what a button says; answered at once in any case, since an unanswered one keeps spinning."""
    query = update.callback_query
    assert query is not None
    told: str | None = None
    try:
        await _act(query, context)
    except PersonError as error:
        told = context.house.texts.error(context.house.language(query.from_user), error)
    try:
        await query.answer(told, show_alert=told is not None)
    except TelegramError as error:
        context.house.note_unsent(None, error)


async def _act(query: CallbackQuery, context: Context) -> None:
    kind, _, rest = (query.data or "").partition(":")
    identity, _, verb = rest.partition(":")
    edits, person = context.house.edits, query.from_user.id
    if kind == "o" and verb in set(Operation):
        shown = query.message.message_id if query.message else None
        await edits.choose(identity, Operation(verb), person, shown=shown)
        return
    if kind != "e":
        raise PersonError("too-old")
    actions: dict[str, Callable[[str, int], Awaitable[object]]] = {
        "cancel": edits.cancel,
        "retry": edits.retry,
        "another": edits.another,
        "fix": edits.fix_by_hand,
        "shadow-stays": partial(edits.with_shadow, goes=False),
        "shadow-goes": partial(edits.with_shadow, goes=True),
    }
    if verb in actions:
        await actions[verb](identity, person)
    elif verb.startswith("f-"):
        await edits.refinish(identity, person, verb.removeprefix("f-"))
    else:
        raise PersonError("too-old")
