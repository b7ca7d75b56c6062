"""Who is this: whose a message is, and in whose name a pressed button acts. The one place that decides it.

A message in a chat's name (an anonymous admin, a channel) has no person: ``from`` is a service account that all such
messages share. It belongs to the chat in whose name it was sent. A callback query always comes from a person, who may
act for a chat as one of the group's admins. See docs/telegram.md#senders.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

import structlog
from telegram import Bot, ChatMember, Message, Update
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.errors import PersonError

log = structlog.get_logger()

SERVICE_IDS = frozenset({1087968824, 136817688, 777000})
"""GroupAnonymousBot, Channel_Bot, and Telegram itself, which forwards the posts of a group's linked channel."""

ADMIN_SECONDS, MAX_REMEMBERED = 60.0, 10_000
"""How long it is remembered whether a person is an admin of a group, and of how many."""

ASK_SECONDS = 10.0
"""Time limit of the question to Telegram: the person waits for the button's answer."""

ADMIN_STATUSES = (ChatMember.OWNER, ChatMember.ADMINISTRATOR)


def owner_of(message: Message) -> int:
    """Id of the owner of a message and of what it asks for: a person, or the chat in whose name it was sent.

    Chats have negative ids.
    """
    if message.sender_chat is not None:
        return message.sender_chat.id
    if message.from_user is None or message.from_user.id in SERVICE_IDS:
        return message.chat.id
    return message.from_user.id


def sender_of(update: Update) -> int | None:
    """Id of the owner of a message, or of the person who pressed a button; None for another kind of update."""
    if update.callback_query is not None:
        return update.callback_query.from_user.id
    return owner_of(update.effective_message) if update.effective_message is not None else None


def is_allowed(update: Update, allowed: frozenset[int]) -> bool:
    """Whether an update's sender is among the ids that may use the bot; an empty set allows all.

    A press passes too where its group is allowed: `Identities.acting_for` checks then whether an admin pressed.
    """
    if not allowed:
        return True
    if update.callback_query is not None:
        shown = update.callback_query.message
        return update.callback_query.from_user.id in allowed or (shown is not None and shown.chat.id in allowed)
    return update.effective_message is not None and owner_of(update.effective_message) in allowed


class Identities:
    """Knows for which chats a person may act: those whose admin the person is.

    Args:
        bot: The Bot API.
        clock: Seconds; None: the running loop's time.
    """

    def __init__(self, bot: Bot, clock: Callable[[], float] | None = None) -> None:
        self._bot = bot
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._known: OrderedDict[tuple[int, int], tuple[bool, float]] = OrderedDict()
        """By chat and person: whether the person is an admin there, and until when that is believed."""

    async def acting_for(self, person: int, owner: int, group: int) -> int:
        """The id in whose name a person acts on something that has an owner.

        Args:
            person: Telegram user id.
            owner: The owner.
            group: Id of the chat where it is shown.

        Returns:
            The owner's id, if it is a chat and the person is an admin of the group or of that chat; else the person's.

        Raises:
            PersonError: ``admin-not-known``: Telegram does not answer now.
        """
        if owner >= 0:
            return person
        for chat in dict.fromkeys((group, owner)):
            if chat < 0 and await self._is_admin(chat, person):
                return owner
        return person

    async def _is_admin(self, chat: int, person: int) -> bool:
        known, until = self._known.get((chat, person), (False, 0.0))
        if until > self._clock():
            return known
        try:
            async with asyncio.timeout(ASK_SECONDS):
                member = await self._bot.get_chat_member(chat, person)
            known = member.status in ADMIN_STATUSES
        except (BadRequest, Forbidden) as error:  # the bot is not in that chat, or the person is not
            log.info("admin_not_known", chat=chat, reason=error.message)
            known = False
        except (TelegramError, TimeoutError) as error:
            raise PersonError("admin-not-known") from error
        self._known[chat, person] = (known, self._clock() + ADMIN_SECONDS)
        self._known.move_to_end((chat, person))
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return known
