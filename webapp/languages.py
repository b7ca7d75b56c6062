"""The language that a request is answered in."""

from __future__ import annotations

import re

from aiohttp import web

from bot.texts import supported_language

LANGUAGE = web.RequestKey("language", str)
"""The caller's language, if the session names one that there are texts in."""

FALLBACK = "en"

_TAG = re.compile(r"\s*([A-Za-z]{2,3})(?:[-_][A-Za-z0-9_-]*)?\s*(?:;|$)")


def language_of(request: web.Request) -> str:
    """The caller's language, else the one that the browser asks for."""
    return request.get(LANGUAGE) or language_in_header(request.headers.get("Accept-Language", ""))


def language_in_header(header: str) -> str:
    """The first language of an Accept-Language header that there are texts in, else English."""
    for part in header[:200].split(","):
        tag = _TAG.match(part)
        language = supported_language(tag[1]) if tag else None
        if language is not None:
            return language
    return FALLBACK
