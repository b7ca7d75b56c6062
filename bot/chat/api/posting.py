"""Posts a message exactly once, although sendMessage is not idempotent.

If the answer to a request is lost, the message may be in the chat, but its id is unknown. See
docs/telegram.md#exactly-once.
"""

from __future__ import annotations

import asyncio
import itertools

import structlog
from telegram import InlineKeyboardMarkup, ReplyParameters
from telegram.error import BadRequest, NetworkError, TelegramError
from telegram.ext import ExtBot

from bot.chat.api.bot_api_errors import description_contains, is_not_modified, to_bot_error
from bot.chat.api.message_ids import MessageIds
from bot.edits.ports import LostMessageSearch

log = structlog.get_logger()

PROBED_ABOVE_HIGHEST, MAX_PROBES = 3, 100
"""A lost message is searched for among the unknown ids up to `PROBED_ABOVE_HIGHEST` above the highest known id, with
`MAX_PROBES` tries at most. Once the chat's burst is used up, a try takes a second (flood limit). So only a few ids are
tried before the message is posted again; the rest of the range below the new message is searched afterwards."""

MAX_ATTEMPTS = 4


class Poster:
    """Posts messages whose buttons no other message has.

    After an unclear failure it probes the ids that the message may have: it sets the buttons that the message should
    have already. Telegram answers "not modified" for the lost message only, because its buttons carry the edit's id.
    Messages of other people cannot be edited, and the bot's other messages in the chat are known, because the announcer
    posts one at a time there.

    Args:
        bot: The Bot API.
        message_ids: Ids of the messages that were sent and received.
    """

    def __init__(self, bot: ExtBot[None], message_ids: MessageIds) -> None:
        self._bot = bot
        self._message_ids = message_ids

    def highest(self, chat: int, message: int) -> int:
        """The highest id seen in the chat's sequence of message ids. `message` is an id known to be in the chat."""
        self._message_ids.add(chat, message)
        return self._message_ids.highest(chat, message)

    async def post(
        self,
        chat: int,
        reply_to: int,
        text: str,
        keyboard: InlineKeyboardMarkup,
        lost: LostMessageSearch | None,
        thread: int | None = None,
    ) -> int:
        """Post a message unless it is in the chat already; returns its id.

        Args:
            chat: The chat.
            reply_to: The message to reply to; 0: none.
            text: The text.
            keyboard: The buttons, which no other message has.
            lost: Where to search for the message first; None: it cannot have been posted.
            thread: Id of the topic; if it was deleted, the message goes to the chat's general topic.

        Raises:
            BotError: Telegram refused it, or did not answer after several attempts.
        """
        searched = 0
        for attempt in range(1, MAX_ATTEMPTS + 1):
            if lost is not None:
                searched = max(self.highest(chat, reply_to), lost.after, *lost.known) + PROBED_ABOVE_HIGHEST
                found = await self._find(chat, keyboard, lost, searched)
                if found is not None:
                    return found
            after = self.highest(chat, reply_to)
            try:
                reply = ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None
                message = await self._bot.send_message(
                    chat, text, reply_parameters=reply, reply_markup=keyboard, message_thread_id=thread
                )
            except NetworkError as error:
                if thread is not None and description_contains(error, "message thread not found"):
                    thread = None
                    continue
                if isinstance(error, BadRequest) or attempt == MAX_ATTEMPTS:
                    raise to_bot_error(error) from error
                lost = LostMessageSearch(min(after, lost.after), lost.known) if lost else LostMessageSearch(after)
                await asyncio.sleep(0.3 * 2**attempt)
            except TelegramError as error:
                raise to_bot_error(error) from error
            else:
                if lost is None or message.message_id <= searched:
                    return message.message_id
                unsearched = LostMessageSearch(searched, lost.known)
                return await self._remove_duplicate(chat, keyboard, unsearched, message.message_id)
        raise AssertionError("unreachable")

    async def _remove_duplicate(
        self, chat: int, keyboard: InlineKeyboardMarkup, lost: LostMessageSearch, posted: int
    ) -> int:
        """Search for the lost message below the one that is posted now; delete the new one if it is found.

        In a busy group many messages may lie between the ids that were searched and the new one, and the bot receives
        no updates for them. The lost message has a lower id than the new one in any case.

        Returns:
            The id of the message that stays.
        """
        found = await self._find(chat, keyboard, lost, posted - 1)
        if found is None:
            return posted
        try:
            await self._bot.delete_message(chat, posted)
        except TelegramError as error:
            log.warning("duplicate_not_deleted", message=posted, reason=type(error).__name__)
        return found

    async def _find(self, chat: int, keyboard: InlineKeyboardMarkup, lost: LostMessageSearch, upto: int) -> int | None:
        """The id of the lost message among the unknown ids up to `upto`; None if it is not there."""
        for message in itertools.islice(self._message_ids.unknown(lost.after, upto, lost.known), MAX_PROBES):
            try:
                # Telegram compares the buttons only, and no other message has these.
                await self._bot.edit_message_reply_markup(chat, message, reply_markup=keyboard)
            except BadRequest as error:
                if is_not_modified(error):
                    self._message_ids.add(chat, message)
                    return message
            except TelegramError as error:
                # Posting again before all ids were tried could post the message twice.
                raise to_bot_error(error) from error
            else:
                await self._remove_buttons(chat, message)
        return None

    async def _remove_buttons(self, chat: int, message: int) -> None:
        """A probe gave the buttons to a message that another process of the bot posted, such as an answer to /help."""
        log.warning("probe_changed_another_message", message=message)
        self._message_ids.add(chat, message)
        try:
            await self._bot.edit_message_reply_markup(chat, message, reply_markup=None)
        except TelegramError as error:
            log.warning("buttons_not_removed", message=message, reason=type(error).__name__)
