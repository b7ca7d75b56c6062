"""The whole program without a token, as `make run` starts it, and a real browser with the chat page."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.page.chat_page import ChatPage, OpenChat
from tests.page.chromium import page_browser_path
from tests.page.engines.app import EngineApp, opened
from tests.page.program import running_playground

expect.set_options(timeout=30_000)
"""Generous, for busy machines: nothing waits longer than it must."""

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Requests to other hosts fail at name resolution.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a playground that the tests of a module share."""
    async with running_playground(tmp_path_factory.mktemp("data")) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A browser that the tests of a module share."""
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=page_browser_path(), args=flags)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def open_chat(playground: str, browser: Browser) -> AsyncIterator[OpenChat]:
    """Opens the empty chat page in a new browser context; fails if a page had errors or external requests.

    Without motion: drawing it takes the processor from the bot. The engines' own tests see the page with it.
    """
    opened: list[ChatPage] = []
    async with aiohttp.ClientSession(playground) as session:
        for path, body in (("clear", {}), ("person", {"language_code": "en"})):
            async with session.post(f"/playground/api/{path}", json=body) as answer:
                answer.raise_for_status()

    async def open_one(**options: Any) -> ChatPage:
        context = await browser.new_context(
            **{"locale": "en-GB", "viewport": {"width": 1100, "height": 850}, "reduced_motion": "reduce", **options}
        )
        chat = ChatPage(await context.new_page(), playground)
        opened.append(chat)
        await chat.open()
        return chat

    yield open_one
    for chat in opened:
        await chat.page.context.close()
    for chat in opened:
        assert not chat.problems, chat.problems
        assert not chat.external_requests, chat.external_requests


@pytest_asyncio.fixture(loop_scope="module")
async def chat(open_chat: OpenChat) -> ChatPage:
    """The chat page in a desktop window, empty, in English."""
    return await open_chat()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine_window(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[EngineApp]:
    """The program, and a window of the engine that the module names in `ENGINE`."""
    name: str = request.module.ENGINE
    async with opened(name, tmp_path_factory.mktemp(name)) as app:
        yield app


@pytest_asyncio.fixture(loop_scope="module")
async def app(engine_window: EngineApp) -> EngineApp:
    """The empty chat in that window."""
    await engine_window.open_chat()
    return engine_window
