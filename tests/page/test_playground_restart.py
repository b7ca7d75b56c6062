"""The playground is restarted while its page is open."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.page.chat_page import ChatPage, jpeg
from tests.page.program import running_playground
from tests.support import encoded, free_port, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_page_reconnects_after_a_restart(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    context = await browser.new_context(locale="en-GB")
    chat = ChatPage(await context.new_page(), f"http://127.0.0.1:{port}")
    async with running_playground(tmp_path, port):
        await chat.open()
        await chat.choose(jpeg(encoded(scene())))
        await chat.send("/remove_subject")
        await expect(chat.answers).to_have_count(1)
        chat.expected_errors = ("ERR_",)
    await expect(chat.page.locator("#status")).to_have_text("connecting…")
    await chat.element("composer-text").fill("/help")
    async with running_playground(tmp_path, port):
        await chat.connected()
        await expect(chat.messages).to_have_count(0)
        await expect(chat.element("composer-text")).to_have_value("/help")
        await chat.element("send").click()
        await expect(chat.answers).to_contain_text(["/remove_background"])
    await context.close()
    assert not chat.problems
    assert not chat.external_requests
