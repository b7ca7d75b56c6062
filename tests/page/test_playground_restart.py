"""The playground is restarted: its chat is there again, and the page reconnects; what was deleted stays deleted."""

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
        clean = await chat.photo_of(chat.answers.first)
        chat.expected_errors = ("ERR_",)
    await expect(chat.page.locator("#status")).to_have_text("connecting…")
    await chat.element("composer-text").fill("/help")
    async with running_playground(tmp_path, port):
        await chat.connected()
        await expect(chat.messages).to_have_count(2)
        assert await chat.photo_of(chat.answers.first) == clean
        await expect(chat.own.get_by_test_id("reaction")).to_have_text("👀")
        await expect(chat.element("composer-text")).to_have_value("/help")
        await chat.element("send").click()
        await expect(chat.answers.nth(1)).to_contain_text("/remove_background")
        await chat.button(chat.answers.first, "Original").click()
        await chat.photo_of(chat.answers.first, other_than=clean)
    await context.close()
    assert not chat.problems
    assert not chat.external_requests


async def test_a_chinese_browser_gets_a_chinese_chat_until_another_language_is_chosen(
    browser: Browser, tmp_path: Path
) -> None:
    port = free_port()
    context = await browser.new_context(locale="zh-CN")
    chat = ChatPage(await context.new_page(), f"http://127.0.0.1:{port}")
    async with running_playground(tmp_path, port):
        await chat.page.goto(f"{chat.url}/playground")
        await expect(chat.page.locator("#status")).to_have_text("机器人")
        await expect(chat.page.locator("html")).to_have_attribute("lang", "zh-Hans")
        await chat.write("/help")
        await expect(chat.answers).to_contain_text(["命令"])
        await chat.element("menu").click()
        await chat.element("language-en").click()
        await chat.connected()
    async with running_playground(tmp_path, port):
        await chat.page.reload()
        await chat.connected()
        await chat.write("/help")
        await expect(chat.answers.nth(1)).to_contain_text("remove the background")
    await context.close()


@pytest.mark.parametrize("way", ["clear", "delete"])
async def test_what_was_deleted_is_gone_from_the_disk_at_once(browser: Browser, tmp_path: Path, way: str) -> None:
    folder, port = tmp_path / "playground", free_port()
    context = await browser.new_context(locale="en-GB")
    chat = ChatPage(await context.new_page(), f"http://127.0.0.1:{port}")
    async with running_playground(tmp_path, port):
        await chat.open()
        await chat.choose(jpeg(encoded(scene())))
        await chat.send("/remove_subject")
        await chat.photo_of(chat.answers.first)
        await chat.write("a secret word")
        await expect(chat.answers).to_have_count(2)
        if way == "clear":
            await chat.element("menu").click()
            await chat.element("clear").click()
            await chat.page.get_by_role("button", name="Clear chat").click()
            await expect(chat.messages).to_have_count(0)
        else:
            await chat.write("/delete_my_data")
            await chat.button(chat.answers.nth(2), "Delete").click()
            await expect(chat.answers.nth(2)).to_contain_text("Deleted")
        assert list((folder / "files").iterdir()) == []
        assert "secret" not in (folder / "chat.json").read_text()
    assert list((folder / "files").iterdir()) == []
    assert "secret" not in (folder / "chat.json").read_text()
    async with running_playground(tmp_path, port):
        await chat.page.reload()
        await chat.connected()
        await expect(chat.messages).to_have_count(0)
    await context.close()
