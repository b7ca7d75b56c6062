"""The chat page: its files and its HTTP API. It answers only to this machine's own browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import hdrs, web

from bot.playground import mini_app, requests, rules, samples
from bot.playground.bot_api import BotApiServer
from bot.playground.errors import BotApiError, bad_request
from bot.playground.payments import PaymentFailedError
from bot.playground.person import Person, buttons
from bot.playground.saved_chat import SavedChat
from bot.playground.telegram import Telegram

STATIC = Path(__file__).parent / "static"
KEEP_ALIVE_SECONDS = 20.0

PERSON = 1001
"""Id of the person whose chat the page shows."""

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


def add_playground(app: web.Application, telegram: Telegram, saved: SavedChat | None = None) -> None:
    """Add the Bot API and the chat page to an application that listens on loopback.

    Args:
        app: The application.
        telegram: The playground's state.
        saved: Keeps the chat over a restart; None: it is not kept.
    """
    BotApiServer(telegram).add_routes(app)
    page = ChatPage(telegram, saved)
    app.router.add_get("/playground", page.local_only(page.index))
    app.router.add_get("/playground/", page.local_only(page.index))
    app.router.add_get("/playground/static/{name}", page.local_only(page.static))
    app.router.add_get("/playground/telegram-web-app.js", page.local_only(page.web_app_script))
    for method, path, handler in (
        ("GET", "chat", page.chat),
        ("GET", "events", page.events),
        ("POST", "messages", page.send),
        ("POST", "sticker", page.sticker),
        ("POST", "press", page.press),
        ("POST", "pay", page.pay),
        ("POST", "webapp", page.open_mini_app),
        ("POST", "person", page.change_person),
        ("POST", "clear", page.clear),
        ("GET", "files/{file_id}", page.file),
        ("GET", "samples", page.samples),
        ("GET", "samples/{name}", page.sample),
    ):
        app.router.add_route(method, f"/playground/api/{path}", page.local_only(handler))
    app.cleanup_ctx.append(_paint_samples)
    app.on_shutdown.append(page.close)


async def _paint_samples(_app: web.Application) -> AsyncIterator[None]:
    """Paint the sample pictures before the first page asks for them."""
    painting = asyncio.create_task(asyncio.to_thread(lambda: [samples.jpeg(name) for name in samples.names()]))
    yield
    painting.cancel()
    await asyncio.gather(painting, return_exceptions=True)


class ChatPage:
    """The handlers of the page's requests.

    Args:
        telegram: The playground's state.
        saved: Keeps the chat over a restart; None: it is not kept.
    """

    def __init__(self, telegram: Telegram, saved: SavedChat | None = None) -> None:
        self._telegram = telegram
        self._saved = saved
        self._person = Person(telegram, PERSON, language=telegram.chosen_language or "en")
        self._streams: set[asyncio.Task[Any]] = set()

    def local_only(self, handler: Handler) -> Handler:
        """Wrap a handler: refuse requests of other sites and names, answer errors as JSON, set the security headers."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if not (requests.is_local(request) and requests.is_own_page(request)):
                return web.Response(status=403, text="the playground answers only to this machine's own browser")
            try:
                response = await handler(request)
            except BotApiError as refused:
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
        """One of the page's files."""
        known = {path.name: path for path in STATIC.iterdir()}
        path = known.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path)

    async def web_app_script(self, _request: web.Request) -> web.StreamResponse:
        """The replacement of Telegram's script for Mini Apps."""
        return web.FileResponse(STATIC / "telegram-web-app.js")

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """The whole chat. `language` is the browser's; it is the person's unless they have chosen one."""
        telegram, person = self._telegram, self._person
        browsers = requests.telegram_language(request.query.get("language", ""))
        if browsers is not None and telegram.chosen_language is None:
            person.set_language(browsers)
        language = str(person.user.get("language_code", ""))
        short = language.partition("-")[0]
        return web.json_response(
            {
                "bot": telegram.bot,
                "person": person.user,
                "commands": telegram.commands_for(language, self._person.id),
                "about": telegram.short_descriptions.get(short, telegram.short_descriptions.get("", "")),
                "last_event": telegram.events.last,
                "messages": person.messages,
                "reactions": person.chat.reactions,
            }
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The chat's events, as server-sent events."""
        after = request.headers.get("Last-Event-ID") or request.query.get("after") or "0"
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **HEADERS})
        await response.prepare(request)
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            await response.write(b": hello\n\n")
            events = self._telegram.events.follow(requests.integer(after) or 0)
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
        """End the event streams and the delivery of updates."""
        for task in list(self._streams):
            task.cancel()
        await self._telegram.updates.close()

    async def send(self, request: web.Request) -> web.StreamResponse:
        """The person sends a text, photos or files."""
        fields, uploads = await requests.read_form(request)
        reply_to = requests.integer(fields.get("reply_to", ""))
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
        body = await requests.json_object(request)
        query = await self._person.press(requests.number(body, "message_id"), str(body.get("data", "")))
        return web.json_response({"id": query})

    async def pay(self, request: web.Request) -> web.StreamResponse:
        """The person pays an invoice; the playground's Stars are free."""
        body = await requests.json_object(request)
        try:
            await self._person.pay(requests.number(body, "message_id"))
        except PaymentFailedError as failed:
            raise bad_request(str(failed)) from None
        return web.json_response({})

    async def open_mini_app(self, request: web.Request) -> web.StreamResponse:
        """The person opens a Mini App by a button."""
        body = await requests.json_object(request)
        message = self._person.chat.messages.get(requests.number(body, "message_id"))
        url = body.get("url")
        offered = [b["web_app"]["url"] for b in buttons(message or {}) if "web_app" in b]
        if url not in offered:
            raise bad_request("there is no such button any more")
        url = rules.web_app_url({"url": url})
        launch_url = mini_app.launch_url(url, self._telegram.token, self._person.user)
        return web.json_response({"url": launch_url, "title": self._telegram.bot["first_name"]})

    async def change_person(self, request: web.Request) -> web.StreamResponse:
        """The person switches the app's language."""
        language = str((await requests.json_object(request)).get("language_code", ""))[:16]
        self._telegram.chosen_language = language
        self._person.set_language(language)
        commands = {"commands": self._telegram.commands_for(language, self._person.id)}
        self._telegram.events.add(self._person.id, "commands", commands)
        return web.json_response({"person": self._person.user})

    async def clear(self, _request: web.Request) -> web.StreamResponse:
        """The person deletes all messages: from the memory, then from the disk, then from the page."""
        chat, language = self._person.chat, self._telegram.chosen_language
        chat.messages.clear()
        chat.reactions.clear()
        self._telegram.forget(self._person.id)
        self._telegram.chosen_language = language
        try:
            if self._saved is not None:
                await self._saved.save(remove_unreadable=True)
        finally:
            # The bot may have posted in the meantime.
            self._telegram.events.add(
                chat.info["id"], "cleared", {"messages": self._person.messages, "reactions": dict(chat.reactions)}
            )
        return web.json_response({})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A photo or file of the chat."""
        file = self._telegram.files.get(request.match_info["file_id"])
        shown = file.mime in ("image/jpeg", "image/png", "image/webp", "image/gif")
        response = web.Response(body=file.data, content_type=file.mime if shown else "application/octet-stream")
        if "download" in request.query or not shown:
            name = quote(file.name or file.path.rpartition("/")[2], safe="")
            response.headers[hdrs.CONTENT_DISPOSITION] = f"attachment; filename*=UTF-8''{name}"
        response.headers["Cache-Control"] = "private, max-age=86400, immutable"
        return response

    async def samples(self, _request: web.Request) -> web.StreamResponse:
        """The list of the sample pictures."""
        chinese = str(self._person.user.get("language_code", "")).startswith("zh")
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
        """A sample picture."""
        try:
            data = await asyncio.to_thread(samples.jpeg, request.match_info["name"])
        except KeyError:
            raise web.HTTPNotFound from None
        return web.Response(body=data, content_type="image/jpeg", headers={"Cache-Control": "max-age=86400"})
