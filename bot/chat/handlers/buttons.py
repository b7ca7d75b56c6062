"""Callback queries: choose, cancel, retry, something else, variants and flipping through them, fix by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatType

from bot.chat.handlers.payments import add_pack_buttons, can_buy_more, pack_pressed, refusal_text
from bot.chat.handlers.privacy import delete_pressed
from bot.chat.handlers.settings import settings_pressed
from bot.chat.services import Context
from bot.edits.finishes import is_finish
from bot.edits.model import EditCommand, Operation
from bot.errors import PersonError

TOLD = {"picture": "send-background"}
"""By action: id of the text that tells the person what to do next."""


async def button_pressed(update: Update, context: Context) -> None:
    """Run a button's action, and answer the query in any case: the client shows a spinner until then."""
    query = update.callback_query
    assert query is not None
    services = context.services
    try:
        told = await _run_action(query, context)
    except PersonError as error:
        is_private = query.message is not None and query.message.chat.type == ChatType.PRIVATE
        services.replies.answer(query, refusal_text(context, error, is_private=is_private), is_alert=True)
        if is_private and isinstance(query.message, Message) and can_buy_more(context, error):
            offer = refusal_text(context, error, is_private=True, has_buttons=True)
            services.replies.send(query.message, offer, rarely=True, keyboard=add_pack_buttons(context, None))
    else:
        text = context.text(told) if told else None
        services.replies.answer(query, text, is_alert=text is not None)


async def _run_action(query: CallbackQuery, context: Context) -> str | None:
    """Run a button's action; returns the id of a text to tell the person, or None."""
    kind, _, rest = (query.data or "").partition(":")
    identity, _, verb = rest.partition(":")
    edits, choices, variants = context.services.edits, context.services.choices, context.services.variants
    if kind == "o":
        shown = query.message.message_id if query.message else None
        await context.services.unasked.accept(identity, _chosen(verb), query.from_user.id, shown=shown)
        return None
    if kind == "d":
        await delete_pressed(query, identity, verb, context)
        return None
    if kind == "s":
        await settings_pressed(query, identity, verb, context)
        return None
    if kind == "p":
        await pack_pressed(query, identity, verb, context)
        return None
    if kind != "e":
        raise PersonError("too-old")
    actions: dict[str, Callable[[str, int], Awaitable[object]]] = {
        "cancel": edits.cancel,
        "retry": edits.retry,
        "another": variants.another,
        "next": partial(variants.flip, step=1),
        "prev": partial(variants.flip, step=-1),
        "count": edits.get_owned,
        "original": variants.show_original,
        "result": variants.show_result,
        "fix": edits.fix_by_hand,
        "else": choices.something_else,
        "several": choices.mark,
        "marked": choices.choose_marked,
        "all": choices.choose_all,
        "back": choices.go_back,
        "picture": variants.ask_background,
        "colours": variants.show_colours,
        "finishes": variants.show_finishes,
        "stop-album": context.services.unasked.stop_album,
        "shadow-stays": partial(variants.change_shadow, erased=False),
        "shadow-goes": partial(variants.change_shadow, erased=True),
    }
    person = await _acting(query, identity, context)
    what, _, number = verb.partition("-")
    if verb in actions:
        await actions[verb](identity, person)
    elif what == "n" and _is_number(number):
        await choices.choose(identity, person, [int(number)])
    elif what in ("on", "off") and _is_number(number):
        await choices.mark(identity, person, int(number), chosen=what == "on")
    elif what == "another" and _is_number(number):
        await variants.another(identity, person, int(number))
    elif verb.startswith("f-"):
        await variants.change_finish(identity, person, verb.removeprefix("f-"))
    else:
        raise PersonError("too-old")
    return TOLD.get(verb)


async def _acting(query: CallbackQuery, edit: str, context: Context) -> int:
    """The id in whose name the button of an edit is pressed."""
    place = await context.services.edits.place(edit)
    person = query.from_user.id
    return await context.services.identities.acting_for(person, *place) if place else person


def _chosen(text: str) -> EditCommand:
    """The command in the untrusted callback data of an offer."""
    operation, _, finish = text.partition(":")
    if operation not in set(Operation) or not (finish == "" or is_finish(finish)):
        raise PersonError("too-old")
    return EditCommand(Operation(operation), finish or None)


def _is_number(text: str) -> bool:
    """Whether untrusted callback data holds the number of an object or a try: one digit from 1 to 9."""
    return len(text) == 1 and text in "123456789"
