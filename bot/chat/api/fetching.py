"""Fetches photos from Telegram, with patience where it says "gone" about a file that comes back.

Two refusals may pass: getFile's "temporarily unavailable", and a refused address of a file, for which getFile gives a
fresh one. See docs/telegram.md#file-ids.
"""

from __future__ import annotations

import asyncio

import structlog
from telegram import File
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.chat.api.bot_api_errors import description_contains, to_bot_error
from bot.chat.api.flood_limiter import MAX_RETRY_AFTER, retry_after_seconds
from bot.chat.api.transport import FileAddressError
from bot.chat.file_rules import MAX_DOWNLOAD_BYTES, too_large
from bot.edits.model import PhotoRef
from bot.errors import OutageError, UnusableInputError, WorldError

log = structlog.get_logger()

FETCH_ATTEMPTS = 5
FIRST_PAUSE = 0.6
"""Seconds; each further pause is twice as long: 9 s in all."""


class FileFetcher:
    """Fetches files.

    Args:
        bot: The Bot API.
        first_pause: Seconds before the second attempt.
    """

    def __init__(self, bot: ExtBot[None], *, first_pause: float = FIRST_PAUSE) -> None:
        self._bot = bot
        self._first_pause = first_pause

    async def fetch(self, photo: PhotoRef, max_bytes: int) -> bytes:
        """The photo's bytes.

        Raises:
            PersonError: ``photo-too-large``, ``photo-gone``.
            WorldError: ``photo-unavailable`` (Telegram has it, but does not hand it out now), or an outage.
        """
        if photo.size is not None and photo.size > max_bytes:
            raise too_large(photo.size, max_bytes)
        for attempt in range(1, FETCH_ATTEMPTS + 1):
            pause = self._first_pause * 2 ** (attempt - 1)
            refused: WorldError
            try:
                return await self._download(await self._find(photo, max_bytes), max_bytes)
            except RetryAfter as error:
                pause, refused = min(retry_after_seconds(error), MAX_RETRY_AFTER), _outage(error)
            except FileAddressError as error:
                refused = WorldError("photo-unavailable", reason=str(error))
            except BadRequest as error:
                refused = _may_pass(error, photo, max_bytes)
            except NetworkError as error:
                refused = _outage(error)
            except TelegramError as error:
                raise to_bot_error(error) from error
            if attempt == FETCH_ATTEMPTS:
                raise refused
            log.info("file_not_fetched", attempt=attempt, reason=str(refused), retry_in=pause)
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _find(self, photo: PhotoRef, max_bytes: int) -> File:
        file = await self._bot.get_file(photo.file_id)
        if file.file_size is not None and file.file_size > max_bytes:
            raise too_large(file.file_size, max_bytes)
        return file

    async def _download(self, file: File, max_bytes: int) -> bytes:
        data = bytes(await file.download_as_bytearray())
        if len(data) > max_bytes:
            raise too_large(len(data), max_bytes)
        return data


def _outage(error: TelegramError) -> WorldError:
    return OutageError("telegram-trouble", reason=type(error).__name__)


def _may_pass(error: BadRequest, photo: PhotoRef, max_bytes: int) -> WorldError:
    """The error of a refusal that may pass. Raises `PersonError` for one that does not."""
    if description_contains(error, "file is too big"):
        raise too_large(photo.size or MAX_DOWNLOAD_BYTES, min(max_bytes, MAX_DOWNLOAD_BYTES)) from error
    if not description_contains(error, "temporarily unavailable"):
        raise UnusableInputError("photo-gone", reason=error.message) from error
    return WorldError("photo-unavailable", reason=error.message)
