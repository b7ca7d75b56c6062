"""What the bot makes of a file that Telegram refuses."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from bot.chat.api.client import make_bot
from bot.chat.api.fetching import FileFetcher
from bot.chat.api.flood_limiter import FloodLimiter
from bot.edits.model import PhotoRef
from bot.errors import BotError, UnusableInputError, WorldError
from bot.playground import TelegramServer


async def fetched(server: TelegramServer, file_id: str) -> bytes:
    async with make_bot(server.telegram.token, server.url, FloodLimiter()) as bot:
        return await FileFetcher(bot, first_pause=0.001).fetch(PhotoRef(file_id, "u"), 1000)


@pytest.mark.parametrize(
    ("fault", "call"),
    [("not_found", "download"), ("unauthorized", "download"), ("file_unavailable", "getFile")],
)
async def test_what_stays_refused_ends_with_a_text_about_the_photo(fault: Any, call: str) -> None:
    async with TelegramServer() as server:
        file = server.telegram.files.put(b"data", "photos")
        server.telegram.faults.plan(fault, call, times=100)
        with pytest.raises(WorldError) as refused:
            await fetched(server, file.file_id)
        assert refused.value.message_id == "photo-unavailable"
        assert refused.value.retry_may_help
        server.telegram.faults.planned.clear()
        assert await fetched(server, file.file_id) == b"data"


async def test_each_attempt_asks_for_a_fresh_address() -> None:
    async with TelegramServer() as server:
        file = server.telegram.files.put(b"data", "photos")
        server.telegram.faults.plan("not_found", "download", times=3)
        assert await fetched(server, file.file_id) == b"data"
        assert server.telegram.calls["getFile"] == 4


async def test_a_file_that_does_not_exist_is_gone() -> None:
    async with TelegramServer() as server:
        with pytest.raises(UnusableInputError) as refused:
            await fetched(server, "nonsense")
        assert refused.value.message_id == "photo-gone"


async def test_a_revoked_token_is_no_matter_for_the_person() -> None:
    async with TelegramServer() as server:
        file = server.telegram.files.put(b"data", "photos")
        server.telegram.faults.plan("unauthorized", "getFile", times=100)
        with pytest.raises(BotError) as refused:
            await fetched(server, file.file_id)
        assert refused.value.message_id == "telegram-trouble"


async def test_a_bot_api_server_in_local_mode_leaves_the_file_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its getFile names the file's absolute path, and it does not serve the file by http."""
    photo = tmp_path / "photo"
    photo.write_bytes(b"data on the disk")
    async with TelegramServer() as server:
        files = server.telegram.files
        stored = files.put(b"", "photos")
        monkeypatch.setattr(files, "get", lambda _id: dataclasses.replace(stored, path=str(photo)))
        assert await fetched(server, stored.file_id) == b"data on the disk"
        assert server.telegram.calls["download"] == 0
        photo.unlink()  # as for a bot that does not see the server's disk
        with pytest.raises(WorldError) as refused:
            await fetched(server, stored.file_id)
        assert refused.value.message_id == "photo-unavailable"
