"""The person's side in the browser: the page's files, and what it asks of the stand-in. Only for this machine."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from aiohttp import BodyPartReader, hdrs, web

from bot.playground import mini_app, rules, samples
from bot.playground.bot_api import BotApiServer, read_part
from bot.playground.person import FILE_BYTES, Person, Upload, buttons
from bot.playground.refusals import RefusedError, bad
from bot.playground.telegram import Json, Telegram

STATIC = Path(__file__).parent / "static"
ALBUM = 10
KEEP_ALIVE_SECONDS = 20.0

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_playground(app: web.Application, telegram: Telegram) -> None:
    """Add the Bot API and the chat page to an application that listens on loopback.

    Args:
        app: The application.
        telegram: What Telegram remembers.
    """
    BotApiServer(telegram).add_routes(app)
    page = ChatPage(telegram)
    app.router.add_get("/playground", page.guarded(page.index))
    app.router.add_get("/playground/", page.guarded(page.index))
    app.router.add_get("/playground/static/{name}", page.guarded(page.static))
    app.router.add_get("/playground/telegram-web-app.js", page.guarded(page.web_app_script))
    for method, path, handler in (
        ("GET", "chat", page.chat),
        ("GET", "events", page.events),
        ("POST", "messages", page.send),
        ("POST", "sticker", page.sticker),
        ("POST", "press", page.press),
        ("POST", "webapp", page.open_mini_app),
        ("POST", "person", page.change_person),
        ("POST", "clear", page.clear),
        ("GET", "files/{file_id}", page.file),
        ("GET", "samples", page.samples),
        ("GET", "samples/{name}", page.sample),
    ):
        app.router.add_route(method, f"/playground/api/{path}", page.guarded(handler))
    app.cleanup_ctx.append(_painted_ahead)
    app.on_shutdown.append(page.close)


async def _painted_ahead(_app: web.Application) -> AsyncIterator[None]:
    """Paint the sample pictures before the first page asks for them."""
    painting = asyncio.create_task(asyncio.to_thread(lambda: [samples.jpeg(name) for name in samples.names()]))
    yield
    painting.cancel()
    await asyncio.gather(painting, return_exceptions=True)


class ChatPage:
    """What the page asks for.

    Args:
        telegram: What Telegram remembers.
    """

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self._person = Person(telegram)
        self._streams: set[asyncio.Task[Any]] = set()

    def guarded(self, handler: Handler) -> Handler:
        """Answer only to pages of this very server: other sites must neither read nor write here."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if not (_is_local(request) and _is_own_page(request)):
                return web.Response(status=403, text="the playground answers only to this machine's own browser")
            try:
                response = await handler(request)
            except RefusedError as refused:
                body = {"error": "refused", "message": refused.description.removeprefix("Bad Request: ")}
                response = web.json_response(body, status=refused.code)
            if not response.prepared:
                for name, value in HEADERS.items():
                    response.headers.setdefault(name, value)
            return response

        return answer

    async def index(self, _request: web.Request) -> web.StreamResponse:
        """The page."""
        return web.FileResponse(STATIC / "index.html")

    async def static(self, request: web.Request) -> web.StreamResponse:
        """One of its files."""
        known = {path.name: path for path in STATIC.iterdir()}
        path = known.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path)

    async def web_app_script(self, _request: web.Request) -> web.StreamResponse:
        """The double of Telegram's script for Mini Apps."""
        return web.FileResponse(STATIC / "telegram-web-app.js")

    async def chat(self, _request: web.Request) -> web.StreamResponse:
        """All that the page shows."""
        telegram, person = self._telegram, self._person
        language = str(person.about.get("language_code", ""))
        short = language.partition("-")[0]
        return web.json_response(
            {
                "bot": telegram.bot,
                "person": person.about,
                "commands": telegram.commands_for(language),
                "about": telegram.abouts.get(short, telegram.abouts.get("", "")),
                "last_event": telegram.journal.last,
                "messages": person.messages,
            }
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """What happens from here on, as server-sent events."""
        after = request.headers.get("Last-Event-ID") or request.query.get("after") or "0"
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **HEADERS})
        await response.prepare(request)
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            await response.write(b": hello\n\n")
            events = self._telegram.journal.follow(_whole(after) or 0)
            while True:
                upcoming = asyncio.ensure_future(anext(events))
                while not upcoming.done():
                    await asyncio.wait({upcoming}, timeout=KEEP_ALIVE_SECONDS)
                    if not upcoming.done():
                        await response.write(b": still here\n\n")
                event = upcoming.result()
                if event.chat == self._person.id:
                    data = json.dumps(event.data, ensure_ascii=False)
                    await response.write(f"id: {event.number}\nevent: {event.kind}\ndata: {data}\n\n".encode())
        except (ConnectionError, asyncio.CancelledError):
            return response
        finally:
            self._streams.discard(task)

    async def close(self, _app: web.Application) -> None:
        """End the streams: they never end by themselves."""
        for task in list(self._streams):
            task.cancel()
        await self._telegram.updates.close()

    async def send(self, request: web.Request) -> web.StreamResponse:
        """The person sends something."""
        fields, uploads = await _form(request)
        reply_to = _whole(fields.get("reply_to", ""))
        text = fields.get("text", "")
        if uploads:
            sent = await self._person.send(*uploads, caption=text, reply_to=reply_to)
        else:
            sent = [await self._person.write(text, reply_to=reply_to)]
        return web.json_response({"messages": sent})

    async def sticker(self, _request: web.Request) -> web.StreamResponse:
        """The person sends a sticker."""
        return web.json_response({"messages": [await self._person.send_sticker()]})

    async def press(self, request: web.Request) -> web.StreamResponse:
        """The person presses a button."""
        asked = await _json(request)
        query = await self._person.press(_number(asked, "message_id"), str(asked.get("data", "")))
        return web.json_response({"id": query})

    async def open_mini_app(self, request: web.Request) -> web.StreamResponse:
        """The person opens a Mini App by a button."""
        asked = await _json(request)
        message = self._person.chat.messages.get(_number(asked, "message_id"))
        wanted = asked.get("url")
        offered = [b["web_app"]["url"] for b in buttons(message or {}) if "web_app" in b]
        if wanted not in offered:
            raise bad("there is no such button any more")
        url = rules.web_app_url({"url": wanted})
        opened = mini_app.opened(url, self._telegram.token, self._person.about)
        return web.json_response({"url": opened, "title": self._telegram.bot["first_name"]})

    async def change_person(self, request: web.Request) -> web.StreamResponse:
        """The person switches the app's language."""
        language = str((await _json(request)).get("language_code", ""))[:16]
        self._person.speak(language)
        commands = {"commands": self._telegram.commands_for(language)}
        self._telegram.journal.note(self._person.id, "commands", commands)
        return web.json_response({"person": self._person.about})

    async def clear(self, _request: web.Request) -> web.StreamResponse:
        """The person empties the chat."""
        self._person.chat.messages.clear()
        self._telegram.journal.note(self._person.id, "cleared", {})
        return web.json_response({})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A picture or file of the chat."""
        file = self._telegram.files.get(request.match_info["file_id"])
        shown = file.mime in ("image/jpeg", "image/png", "image/webp", "image/gif")
        response = web.Response(body=file.data, content_type=file.mime if shown else "application/octet-stream")
        if "download" in request.query or not shown:
            name = quote(file.name or file.path.rpartition("/")[2], safe="")
            response.headers[hdrs.CONTENT_DISPOSITION] = f"attachment; filename*=UTF-8''{name}"
        response.headers["Cache-Control"] = "private, max-age=86400, immutable"
        return response

    async def samples(self, _request: web.Request) -> web.StreamResponse:
        """The pictures for a first try."""
        chinese = str(self._person.about.get("language_code", "")).startswith("zh")
        return web.json_response(
            [
                {
                    "name": sample.name,
                    "title": sample.title_zh if chinese else sample.title_en,
                    "width": samples.size(sample.name)[0],
                    "height": samples.size(sample.name)[1],
                }
                for sample in samples.SAMPLES
            ]
        )

    async def sample(self, request: web.Request) -> web.StreamResponse:
        """One of them."""
        try:
            data = await asyncio.to_thread(samples.jpeg, request.match_info["name"])
        except KeyError:
            raise web.HTTPNotFound from None
        return web.Response(body=data, content_type="image/jpeg", headers={"Cache-Control": "max-age=86400"})


def _is_local(request: web.Request) -> bool:
    """Whether the address asked for is this machine's own: a strange name that leads here is a rebinding attack."""
    try:
        host = urlsplit(f"//{request.host}").hostname
    except ValueError:  # "[" begins an address that does not end
        return False
    local = request.transport.get_extra_info("sockname")[0] if request.transport else ""
    return host in ("127.0.0.1", "localhost", "::1", local)


def _is_own_page(request: web.Request) -> bool:
    """Whether no other site's page asks; who is no browser tells no origin."""
    origin = request.headers.get(hdrs.ORIGIN)
    return not origin or origin.partition("://")[2] == request.host


def _whole(text: str) -> int | None:
    """A number as the page writes it; None for what is none, superscripts among it."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


async def _json(request: web.Request) -> Json:
    try:
        body = await request.json()
    except ValueError:
        raise bad("can't parse JSON object") from None
    if not isinstance(body, dict):
        raise bad("can't parse JSON object")
    return body


def _number(asked: Json, name: str) -> int:
    value = asked.get(name)
    if not isinstance(value, int):
        raise bad(f"{name} is invalid")
    return value


async def _form(request: web.Request) -> tuple[dict[str, str], list[Upload]]:
    """The fields and files of what the person sends."""
    fields: dict[str, str] = {}
    files: list[tuple[bytes, str, str]] = []
    if request.content_type != "multipart/form-data":
        raise bad("can't parse the form")
    left = FILE_BYTES
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise bad("can't parse the form")
        data = await read_part(part, left)
        left -= len(data)
        if part.filename is None:
            fields[part.name] = data.decode(errors="replace")
        else:
            files.append((data, part.filename, part.headers.get(hdrs.CONTENT_TYPE, "")))
    if len(files) > ALBUM:
        raise bad(f"an album has {ALBUM} pictures at most")
    as_file = fields.get("as") == "file"
    return fields, [Upload(data, name, mime, as_file) for data, name, mime in files]
