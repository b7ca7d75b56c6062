"""Posts a message once, though sendMessage cannot be repeated blindly: a lost answer leaves a message unknown."""

from __future__ import annotations

import asyncio
import itertools

import structlog
from telegram import InlineKeyboardMarkup, ReplyParameters
from telegram.error import BadRequest, NetworkError, TelegramError
from telegram.ext import ExtBot

from bot.chat.api.message_ids import MessageIds
from bot.chat.api.refusals import explained, says
from bot.edits.ports import LostMessageSearch

log = structlog.get_logger()

PROBES, MOST_PROBES = 3, 100
"""A message that may have been posted without its id arriving is looked for among the ids up to so many above the
highest that is known, those that are other messages' left out; so many at most are tried. Once the chat's burst is used
up each try takes a second (flood limit): so after a few the message is posted, and what lies below it is searched."""

TRIES = 4


class Poster:
    """Posts messages with buttons that no other message has.

    After an unclear failure the ids that may be the message's are probed: giving a message the buttons that it should
    already have answers "not modified" for the lost one alone, since they carry an id of their own. Others' messages
    cannot be edited, and the bot's own other ones in the chat are known: the announcer posts one at a time there.

    Args:
        bot: The Bot API.
        ids: The messages that were seen to come and go.
    """

    def __init__(self, bot: ExtBot[None], ids: MessageIds) -> None:
        self._bot = bot
        self._ids = ids

    def highest(self, chat: int, message: int) -> int:
        """The highest message id met in a chat, one of whose messages is known, or in all that share its numbers."""
        self._ids.meet(chat, message)
        return self._ids.highest(chat, message)

    async def post(
        self, chat: int, reply_to: int, text: str, keyboard: InlineKeyboardMarkup, lost: LostMessageSearch | None
    ) -> int:
        """Post a message, unless it is there; returns its id.

        Args:
            chat: Where.
            reply_to: The message that it answers.
            text: Its text.
            keyboard: Its buttons, like which no other message has any.
            lost: Where it is to be looked for first; None: it cannot be there.
        """
        searched = 0
        for attempt in range(1, TRIES + 1):
            if lost is not None:
                searched = max(self.highest(chat, reply_to), lost.after, *lost.known) + PROBES
                found = await self._find(chat, keyboard, lost, searched)
                if found is not None:
                    return found
            after = self.highest(chat, reply_to)
            try:
                reply = ReplyParameters(reply_to, allow_sending_without_reply=True)
                message = await self._bot.send_message(chat, text, reply_parameters=reply, reply_markup=keyboard)
            except NetworkError as error:
                if isinstance(error, BadRequest) or attempt == TRIES:
                    raise explained(error) from error
                lost = LostMessageSearch(min(after, lost.after), lost.known) if lost else LostMessageSearch(after)
                await asyncio.sleep(0.3 * 2**attempt)
            except TelegramError as error:
                raise explained(error) from error
            else:
                if lost is None or message.message_id <= searched:
                    return message.message_id
                return await self._only_one(chat, keyboard, LostMessageSearch(searched, lost.known), message.message_id)
        raise AssertionError("unreachable")

    async def _only_one(self, chat: int, keyboard: InlineKeyboardMarkup, lost: LostMessageSearch, posted: int) -> int:
        """The message that stays, where the one that was lost may lie between what was searched and the new one.

        In a busy group many a message comes in between, and what comes there is not told to the bot; but whatever was
        posted before lies below what is posted now.
        """
        found = await self._find(chat, keyboard, lost, posted - 1)
        if found is None:
            return posted
        try:
            await self._bot.delete_message(chat, posted)
        except TelegramError as error:
            log.warning("double_not_deleted", message=posted, reason=type(error).__name__)
        return found

    async def _find(self, chat: int, keyboard: InlineKeyboardMarkup, lost: LostMessageSearch, upto: int) -> int | None:
        """The message that was posted without our learning its id."""
        for message in itertools.islice(self._ids.unknown(lost.after, upto, lost.known), MOST_PROBES):
            try:
                # Only the markup is compared: it is this message's alone, so no other can answer to it.
                await self._bot.edit_message_reply_markup(chat, message, reply_markup=keyboard)
            except BadRequest as error:
                if says(error, "not modified"):
                    self._ids.meet(chat, message)
                    return message
            except TelegramError as error:
                raise explained(error) from error  # posting again before all were tried might double it
            else:
                await self._take_back(chat, message)
        return None

    async def _take_back(self, chat: int, message: int) -> None:
        """Another of the bot's messages got the buttons: one that another process wrote, such as an answer to /help."""
        log.warning("another_message_met", message=message)
        self._ids.meet(chat, message)
        try:
            await self._bot.edit_message_reply_markup(chat, message, reply_markup=None)
        except TelegramError as error:
            log.warning("buttons_not_taken_back", message=message, reason=type(error).__name__)
