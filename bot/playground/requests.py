"""Reads and checks the requests of the chat page."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from aiohttp import BodyPartReader, hdrs, web

from bot.playground.bot_api import read_part
from bot.playground.errors import bad_request
from bot.playground.person import MAX_FILE_BYTES, Upload
from bot.playground.telegram import Json

MAX_ALBUM = 10


def is_local(request: web.Request) -> bool:
    """Whether the Host header names this machine; other names may be a DNS rebinding attack."""
    try:
        host = urlsplit(f"//{request.host}").hostname
    except ValueError:  # such as "["
        return False
    local = request.transport.get_extra_info("sockname")[0] if request.transport else ""
    return host in ("127.0.0.1", "localhost", "::1", local)


def is_own_page(request: web.Request) -> bool:
    """Whether the request comes from this server's page; clients that are no browsers send no Origin."""
    origin = request.headers.get(hdrs.ORIGIN)
    return not origin or origin.partition("://")[2] == request.host


def integer(text: str) -> int | None:
    """A non-negative integer in ASCII digits; None for any other text."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def telegram_language(tag: str) -> str | None:
    """The `language_code` that Telegram's apps send for a browser's language tag; None for what is no tag."""
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}", tag):
        return None
    language, *others = tag.lower().split("-")
    if language == "zh":
        return "zh-hant" if {"hant", "tw", "hk", "mo"}.intersection(others) else "zh-hans"
    return "pt-br" if (language, others) == ("pt", ["br"]) else language


async def json_object(request: web.Request) -> Json:
    """The JSON object in a request's body.

    Raises:
        BotApiError: There is none.
    """
    try:
        body = await request.json()
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(body, dict):
        raise bad_request("can't parse JSON object")
    return body


def number(body: Json, name: str) -> int:
    """An integer of a JSON object.

    Raises:
        BotApiError: It is missing or has another type.
    """
    value = body.get(name)
    if not isinstance(value, int):
        raise bad_request(f"{name} is invalid")
    return value


async def read_form(request: web.Request) -> tuple[dict[str, str], list[Upload]]:
    """The fields and files of a multipart form.

    Raises:
        BotApiError: It is no such form, or exceeds a limit.
    """
    fields: dict[str, str] = {}
    files: list[tuple[bytes, str, str]] = []
    if request.content_type != "multipart/form-data":
        raise bad_request("can't parse the form")
    left = MAX_FILE_BYTES
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise bad_request("can't parse the form")
        data = await read_part(part, left)
        left -= len(data)
        if part.filename is None:
            fields[part.name] = data.decode(errors="replace")
        else:
            files.append((data, part.filename, part.headers.get(hdrs.CONTENT_TYPE, "")))
    if len(files) > MAX_ALBUM:
        raise bad_request(f"an album has {MAX_ALBUM} pictures at most")
    as_file = fields.get("as") == "file"
    return fields, [Upload(data, name, mime, as_file) for data, name, mime in files]
