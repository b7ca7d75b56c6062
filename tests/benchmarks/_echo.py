"""A Bot API that confirms every call at once, in a separate process, so that only the bot's side is measured."""

from __future__ import annotations

import sys

from aiohttp import web

ANSWER = b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":1,"type":"private","first_name":"A"},"text":"ok"}}'
ME = b'{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"B","username":"photo_cleaning_bot"}}'


async def answer(request: web.Request) -> web.Response:
    """Answer one call."""
    await request.read()
    body = ME if request.path.endswith("getMe") else ANSWER
    return web.Response(body=body, content_type="application/json")


if __name__ == "__main__":
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
