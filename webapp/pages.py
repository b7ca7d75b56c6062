"""Serves the page and its files from memory, compressed. They are the same for all people and hold no data.

The files' addresses are ``app/static/HASH/NAME``, with one hash over all files. The modules import each other by
relative names, so a new version is a new folder, and browsers may cache a file for ever. The page itself is revalidated
on every visit, and names the folder that belongs to it.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ETag, web

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"

TELEGRAM_SCRIPT = "https://telegram.org/js/telegram-web-app.js"

TELEGRAM_WEB = ("https://web.telegram.org", "https://webk.telegram.org", "https://webz.telegram.org")
"""Telegram's web clients show the page in a frame; all other clients use a web view."""

PRELOAD = '<link rel="modulepreload" href="{{{{static}}}}/{}">'
"""Lets the browser load a module before another one imports it; the page has one for each but `NOT_PRELOADED`."""

NOT_PRELOADED = frozenset({"main.js", "old.js"})
"""Scripts that the page names itself: Firefox reports a preload of the first as an error, the other is no module."""

CACHE_FOR_EVER = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

CONTENT_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
"""Fixed here, because the machine's own table may be changed by any installed program."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file, ready to send.

    Attributes:
        content_type: The Content-Type header.
        plain: The bytes.
        packed: The bytes, compressed by gzip.
        tag: The ETag.
    """

    content_type: str
    plain: bytes
    packed: bytes
    tag: str


DOCUMENTATION = re.compile(rb"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n|/\*\*[^\n]*?\*/ ?", re.MULTILINE | re.DOTALL)
"""A comment for engineers: on lines of its own, or a type within a line."""


class Pages:
    """The page and its files, read when the object is made.

    Args:
        telegram_script: Address that the page loads Telegram's script from; None: telegram.org.
        folder: Folder of the files.

    Raises:
        FileNotFoundError: The folder has no page.
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
        self._files = {name: _packed(name, without_documentation(name, data)) for name, data in files.items()}
        # Relative to /app, so that a reverse proxy may serve the bot under a path.
        values = {"static": f"app/static/{self.version}", "telegram_script": telegram_script or TELEGRAM_SCRIPT}
        modules = [name for name in files if name.endswith(".js") and name not in NOT_PRELOADED]
        preload = "\n".join(map(PRELOAD.format, modules))
        text = index.decode().replace("{{preload}}", preload)
        for name, value in values.items():
            text = text.replace("{{" + name + "}}", html.escape(value))
        self._index = _packed(INDEX, text.encode())
        self._headers = _headers(own_script=telegram_script is not None)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add /app and its files."""
        router.add_get("/app", self.index)
        router.add_get("/app/static/{version}/{name:.+}", self.file)

    async def index(self, request: web.Request) -> web.Response:
        """GET /app: the page. It gets its data from the API."""
        return self._answer(request, self._index, REVALIDATE)

    async def file(self, request: web.Request) -> web.Response:
        """GET /app/static/HASH/NAME: one file."""
        found = self._files.get(request.match_info["name"])
        if found is None or request.match_info["version"] != self.version:
            return web.Response(status=404, headers=self._headers)
        return self._answer(request, found, CACHE_FOR_EVER)

    def _answer(self, request: web.Request, file: StaticFile, caching: str) -> web.Response:
        known = request.if_none_match or ()
        same = any(tag.value in (file.tag, "*") for tag in known)
        response = web.Response(status=304 if same else 200, headers=self._headers)
        response.headers["Cache-Control"] = caching
        response.headers["Vary"] = "Accept-Encoding"
        response.etag = ETag(file.tag, is_weak=True)  # weak: the same for both encodings
        if not same:
            response.headers["Content-Type"] = file.content_type
            packed = _accepts_gzip(request.headers.get("Accept-Encoding", ""))
            response.body = file.packed if packed else file.plain
            if packed:
                response.headers["Content-Encoding"] = "gzip"
        return response


def without_documentation(name: str, data: bytes) -> bytes:
    """A script without the comments that document it: a fifth of what a phone would download."""
    return DOCUMENTATION.sub(b"", data) if name.endswith(".js") else data


def _packed(name: str, data: bytes) -> StaticFile:
    suffix = Path(name).suffix
    content_type = CONTENT_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if content_type.startswith("text/") else ""
    tag = hashlib.sha256(data).hexdigest()[:16]
    return StaticFile(content_type + charset, data, gzip.compress(data, 9, mtime=0), tag)


def _accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header allows gzip (RFC 9110, 12.5.3)."""
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _headers(*, own_script: bool) -> dict[str, str]:
    """Security headers: what the page may load, and which sites may frame it.

    Args:
        own_script: Telegram's script comes from this server, as in the playground, which also frames the page.
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
