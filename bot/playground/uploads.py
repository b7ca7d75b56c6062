"""Stores uploaded pictures and files as Telegram does: photos in several sizes, files with a thumbnail."""

from __future__ import annotations

import asyncio
import mimetypes

from bot.playground import pictures
from bot.playground.telegram import Json, Telegram


async def store_photo(telegram: Telegram, data: bytes) -> list[Json]:
    """Store a photo in several sizes; returns the Bot API's list of PhotoSize, smallest first.

    Raises:
        BotApiError: It cannot be sent as a photo.
    """
    sizes = await asyncio.to_thread(pictures.photo_sizes, data)
    return [
        telegram.files.put(size.data, "photos", mime="image/jpeg", width=size.width, height=size.height).as_size()
        for size in sizes
    ]


async def store_document(telegram: Telegram, data: bytes, name: str, mime: str) -> Json:
    """Store a file and its thumbnail; returns the Bot API's Document."""
    small = await asyncio.to_thread(pictures.thumbnail, data)
    file = telegram.files.put(data, "documents", name=name, mime=mime or _mime_of(name))
    document: Json = {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_name": name,
        "mime_type": file.mime,
        "file_size": len(data),
    }
    if small is not None:
        document["thumbnail"] = telegram.files.put(
            small.data, "thumbnails", mime="image/jpeg", width=small.width, height=small.height
        ).as_size()
    return document


def _mime_of(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
