"""The playground is stopped and started anew while its page is open."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.page.chat_page import ChatPage, jpeg
from tests.page.program import running_playground
from tests.support import encoded, free_port, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_page_finds_the_playground_again(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    context = await browser.new_context(locale="en-GB")
    chat = ChatPage(await context.new_page(), f"http://127.0.0.1:{port}")
    async with running_playground(tmp_path, port):
        await chat.open()
        await chat.choose(jpeg(encoded(scene())))
        await chat.send("/remove_subject")
        await expect(chat.answers).to_have_count(1)
        chat.refusals = ("ERR_",)
    await expect(chat.page.locator("#status")).to_have_text("connecting…")
    await chat.part("composer-text").fill("/help")
    async with running_playground(tmp_path, port):
        await chat.connected()
        await expect(chat.messages).to_have_count(0)
        await expect(chat.part("composer-text")).to_have_value("/help")
        await chat.part("send").click()
        await expect(chat.answers).to_contain_text(["/remove_background"])
    await context.close()
    assert not chat.trouble
    assert not chat.abroad
