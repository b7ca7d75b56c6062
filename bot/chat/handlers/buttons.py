"""Callback queries: choose, cancel, retry, something else, another background, the shadow, fix by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from telegram import CallbackQuery, Update

from bot.chat.handlers.privacy import delete_pressed
from bot.chat.handlers.settings import settings_pressed
from bot.chat.services import Context
from bot.edits.model import Operation
from bot.errors import PersonError


async def button_pressed(update: Update, context: Context) -> None:
    """Run a button's action, and answer the query in any case: the client shows a spinner until then."""
    query = update.callback_query
    assert query is not None
    services = context.services
    try:
        await _run_action(query, context)
    except PersonError as error:
        services.replies.answer(query, services.texts.error(context.language, error), is_alert=True)
    else:
        services.replies.answer(query)


async def _run_action(query: CallbackQuery, context: Context) -> None:
    kind, _, rest = (query.data or "").partition(":")
    identity, _, verb = rest.partition(":")
    edits, choices = context.services.edits, context.services.choices
    if kind == "o" and verb in set(Operation):
        shown = query.message.message_id if query.message else None
        await edits.accept_offer(identity, Operation(verb), query.from_user.id, shown=shown)
        return
    if kind == "d":
        await delete_pressed(query, identity, verb, context)
        return
    if kind == "s":
        await settings_pressed(query, identity, verb, context)
        return
    if kind != "e":
        raise PersonError("too-old")
    actions: dict[str, Callable[[str, int], Awaitable[object]]] = {
        "cancel": edits.cancel,
        "retry": edits.retry,
        "another": edits.another_variant,
        "fix": edits.fix_by_hand,
        "else": choices.something_else,
        "several": choices.mark,
        "marked": choices.choose_marked,
        "all": choices.choose_all,
        "back": choices.go_back,
        "colours": edits.show_colours,
        "finishes": edits.show_finishes,
        "shadow-stays": partial(edits.change_shadow, erased=False),
        "shadow-goes": partial(edits.change_shadow, erased=True),
    }
    person = await _acting(query, identity, context)
    what, _, number = verb.partition("-")
    if verb in actions:
        await actions[verb](identity, person)
    elif what == "n" and _is_number(number):
        await choices.choose(identity, person, [int(number)])
    elif what in ("on", "off") and _is_number(number):
        await choices.mark(identity, person, int(number), chosen=what == "on")
    elif verb.startswith("f-"):
        await edits.change_finish(identity, person, verb.removeprefix("f-"))
    else:
        raise PersonError("too-old")


async def _acting(query: CallbackQuery, edit: str, context: Context) -> int:
    """The id in whose name the button of an edit is pressed."""
    place = await context.services.edits.place(edit)
    person = query.from_user.id
    return await context.services.identities.acting_for(person, *place) if place else person


def _is_number(text: str) -> bool:
    """Whether untrusted callback data holds the number of an object: one digit from 1 to 9."""
    return len(text) == 1 and text in "123456789"
