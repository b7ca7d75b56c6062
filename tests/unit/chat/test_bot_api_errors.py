"""What a refusal of the Bot API means, by its description."""

from __future__ import annotations

import pytest
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, TelegramError

from bot.chat.api.bot_api_errors import to_bot_error
from bot.edits.ports import ChatGoneError, ChatMovedError, PicturesRefusedError, StatusMessageGoneError
from bot.errors import BotError, OutageError, WorldError


@pytest.mark.parametrize(
    ("error", "kind", "retry_may_help"),
    [
        (BadRequest("Bad Request: not enough rights to send photos to the chat"), PicturesRefusedError, False),
        (BadRequest("Bad Request: not enough rights to send documents to the chat"), PicturesRefusedError, False),
        (BadRequest("CHAT_SEND_PHOTOS_FORBIDDEN"), PicturesRefusedError, False),
        (BadRequest("CHAT_SEND_DOCS_FORBIDDEN"), PicturesRefusedError, False),
        (BadRequest("Bad Request: not enough rights to send text messages to the chat"), ChatGoneError, True),
        (BadRequest("Bad Request: have no rights to send a message"), ChatGoneError, True),
        (BadRequest("CHAT_WRITE_FORBIDDEN"), ChatGoneError, True),
        (BadRequest("TOPIC_CLOSED"), ChatGoneError, True),
        (BadRequest("Bad Request: chat not found"), ChatGoneError, True),
        (Forbidden("Forbidden: bot was kicked from the supergroup chat"), ChatGoneError, True),
        (ChatMigrated(-1001), ChatMovedError, True),
        (BadRequest("Bad Request: message to edit not found"), StatusMessageGoneError, True),
        (InvalidToken("Not Found: method not found"), OutageError, True),
        (NetworkError("HTTP 502"), OutageError, True),
        (BadRequest("Bad Request: IMAGE_PROCESS_FAILED"), WorldError, True),
    ],
    ids=lambda value: str(value)[:40],
)
def test_meaning(error: TelegramError, kind: type[BotError], retry_may_help: bool) -> None:
    meant = to_bot_error(error)
    assert type(meant) is kind
    assert meant.retry_may_help is retry_may_help
    assert meant.message_id != "wrong-token"
