"""How far this machine's clock is off, by the Date header of the Bot API server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from email.utils import formatdate

import pytest
from aiohttp import ClientConnectionError, web
from aiohttp.test_utils import TestServer

from bot.telegram_clock import seconds_ahead
from tests.support import free_port


class BotApi:
    """A Bot API server whose clock is off.

    Attributes:
        ahead: Seconds by which it is ahead of this machine; None: it sends no date.
    """

    ahead: float | None = 0

    async def answer(self, _: web.Request) -> web.Response:
        date = "no date" if self.ahead is None else formatdate(time.time() + self.ahead, usegmt=True)
        return web.Response(status=302, headers={"Date": date, "Location": "https://core.telegram.org/bots"})


@pytest.fixture
def api() -> BotApi:
    return BotApi()


@pytest.fixture
async def url(api: BotApi) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.mark.parametrize("ahead", [0.0, 7200.0, -90000.0])
async def test_the_difference_of_the_clocks_is_measured(api: BotApi, url: str, ahead: float) -> None:
    api.ahead = ahead
    measured = await seconds_ahead(url)
    assert measured is not None
    assert measured == pytest.approx(-ahead, abs=30)


async def test_an_unreadable_date_is_no_difference(api: BotApi, url: str) -> None:
    api.ahead = None
    assert await seconds_ahead(url) is None


async def test_a_server_that_cannot_be_reached_is_an_error() -> None:
    with pytest.raises(ClientConnectionError):
        await seconds_ahead(f"http://127.0.0.1:{free_port()}")
