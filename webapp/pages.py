"""The page and its files: the same for everybody, so no data is in them, and they are kept in memory, compressed.

The files lie under ``app/static/HASH/``, one hash over all of them: the modules import each other by relative names, so
a new version is a new folder, and a browser may keep what it has for ever. The page itself is asked for anew each time,
and says which folder it goes with.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ETag, web

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"

TELEGRAM_SCRIPT = "https://telegram.org/js/telegram-web-app.js"

TELEGRAM_WEB = ("https://web.telegram.org", "https://webk.telegram.org", "https://webz.telegram.org")
"""Telegram's clients in a browser show the page in a frame; all others in a window of their own."""

KEPT_FOR_EVER = "public, max-age=31536000, immutable"
ASKED_ANEW = "no-cache"

KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
"""Not left to the machine's own table, in which .js is what the last installed program has made of it."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent.

    Attributes:
        content_type: Its Content-Type.
        plain: Its bytes.
        packed: The same, by gzip.
        tag: Its ETag.
    """

    content_type: str
    plain: bytes
    packed: bytes
    tag: str


class Pages:
    """The page and its files.

    Args:
        telegram_script: Where the page loads Telegram's script from; None: from telegram.org.
        folder: Where the files are.

    Raises:
        FileNotFoundError: The page is not there.
    """

    def __init__(self, telegram_script: str | None = None, folder: Path = STATIC) -> None:
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*.*"))
            if path.is_file()
        }
        index = files.pop(INDEX, None)
        if index is None:
            raise FileNotFoundError(folder / INDEX)
        digest = hashlib.sha256()
        for name, data in files.items():
            digest.update(f"{name}\n{len(data)}\n".encode() + data)
        self.version = digest.hexdigest()[:16]
        self._files = {name: _packed(name, data) for name, data in files.items()}
        # Relative to /app, so that the server may stand under a path of somebody's host.
        values = {"static": f"app/static/{self.version}", "telegram_script": telegram_script or TELEGRAM_SCRIPT}
        text = index.decode()
        for name, value in values.items():
            text = text.replace("{{" + name + "}}", html.escape(value))
        self._index = _packed(INDEX, text.encode())
        self._headers = _headers(own_script=telegram_script is not None)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add /app and what lies below it."""
        router.add_get("/app", self.index)
        router.add_get("/app/static/{version}/{name:.+}", self.file)

    async def index(self, request: web.Request) -> web.Response:
        """The page; what it shows it asks the API for."""
        return self._answer(request, self._index, ASKED_ANEW)

    async def file(self, request: web.Request) -> web.Response:
        """One of its files."""
        found = self._files.get(request.match_info["name"])
        if found is None or request.match_info["version"] != self.version:
            return web.Response(status=404, headers=self._headers)
        return self._answer(request, found, KEPT_FOR_EVER)

    def _answer(self, request: web.Request, file: StaticFile, caching: str) -> web.Response:
        known = request.if_none_match or ()
        same = any(tag.value in (file.tag, "*") for tag in known)
        response = web.Response(status=304 if same else 200, headers=self._headers)
        response.headers["Cache-Control"] = caching
        response.headers["Vary"] = "Accept-Encoding"
        response.etag = ETag(file.tag, is_weak=True)  # weak: the same for both encodings
        if not same:
            response.headers["Content-Type"] = file.content_type
            packed = _takes_gzip(request.headers.get("Accept-Encoding", ""))
            response.body = file.packed if packed else file.plain
            if packed:
                response.headers["Content-Encoding"] = "gzip"
        return response


def _packed(name: str, data: bytes) -> StaticFile:
    suffix = Path(name).suffix
    kind = KINDS.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    tag = hashlib.sha256(data).hexdigest()[:16]
    return StaticFile(kind + charset, data, gzip.compress(data, 9, mtime=0), tag)


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header allows gzip (RFC 9110, 12.5.3)."""
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _headers(*, own_script: bool) -> dict[str, str]:
    """What the page may do, and who may frame it.

    Args:
        own_script: Telegram's script comes from this server, as it does in the playground, which also frames the page.
    """
    script = "'self'" if own_script else "'self' https://telegram.org"
    frames = " ".join(["'self'", *TELEGRAM_WEB] if own_script else TELEGRAM_WEB)
    policy = {
        "default-src": "'none'",
        "script-src": script,
        "style-src": "'self'",
        "img-src": "'self' blob: data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": frames,
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
