"""Browsers below the floor, and a page that did not load: the Mini App says so in words, and what else to do."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from bot.playground.mini_app import init_data
from tests.page.chat_page import WORK_MS, OpenChat, jpeg
from tests.page.mini_app import PHONE, MiniApp, send_for_erase
from tests.page.painted import DENSE, ExpectedMask, overlap, wave
from tests.support import encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

OLD = "This device’s browser is too old for the canvas."
FORGET = """
    for (const kind of [Array, String, Uint8Array]) delete kind.prototype.at;
    for (const name of ["findLast", "findLastIndex", "toSorted", "with"]) delete Array.prototype[name];
    for (const name of ["CompressionStream", "OffscreenCanvas", "structuredClone"]) delete window[name];
    delete Object.hasOwn;
    delete HTMLElement.prototype.showPopover;
"""
"""Takes away what Safari 15.0 does not have."""

OTHER_WAY = "send it to the bot as a reply to the original photo"


@pytest_asyncio.fixture(loop_scope="module")
async def page(open_chat: OpenChat) -> Page:
    """A phone's page whose errors are expected."""
    chat = await open_chat(viewport={"width": 360, "height": 640})
    chat.expect_page_errors = True
    return chat.page


def address(page: Page, language: str) -> str:
    """The address of the Mini App for a person of this language, as Telegram opens it."""
    data = init_data("123:abc", {"id": 4242, "first_name": "Eve", "language_code": language})
    return f"{page.url.partition('/playground')[0]}/app?edit=anything#tgWebAppData={quote(data, safe='')}"


async def break_script(page: Page, name: str, script: str | None) -> None:
    """Let one of the page's scripts be this one; None: it cannot be loaded."""

    async def answer(route: Route) -> None:
        await (route.abort() if script is None else route.fulfill(body=script, content_type="text/javascript"))

    await page.route(f"**/{name}", answer)


@pytest.mark.parametrize("name", ["main.js", "input.js"])
@pytest.mark.parametrize("script", ["class A { ##x() {} }", "undefined.at(-1);"], ids=["syntax", "api"])
async def test_a_browser_that_cannot_run_the_page_is_told_the_other_way(page: Page, name: str, script: str) -> None:
    await break_script(page, name, script)
    await page.goto(address(page, "en"))
    notice = page.locator("#notice")
    await expect(notice).to_contain_text(OLD)
    await expect(notice).to_contain_text(OTHER_WAY)
    await expect(page.locator(".spinner")).to_be_hidden()
    await expect(page.locator("#app")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_it_is_told_in_the_persons_language(page: Page) -> None:
    await break_script(page, "main.js", "#")
    await page.goto(address(page, "zh-hans"))
    await expect(page.locator("#notice")).to_contain_text("这台设备的浏览器太旧，无法打开画布。")
    await expect(page.locator("#notice")).to_contain_text("以回复原照片的方式发给机器人")
    assert await page.evaluate("document.documentElement.lang") == "zh"


async def test_a_browser_without_modules_is_told_too(page: Page) -> None:
    async def as_classic_browsers_see_it(route: Route) -> None:
        answer = await route.fetch()
        text = await answer.text()
        assert "modulepreload" in text
        await route.fulfill(response=answer, body=text.replace('type="module"', 'type="unknown"'))

    await page.route("**/app?*", as_classic_browsers_see_it)
    await page.goto(address(page, "en"))
    await expect(page.locator("#notice")).to_contain_text(OTHER_WAY)


@pytest.mark.parametrize("name", ["main.js", "input.js"])
async def test_a_lost_connection_is_not_taken_for_an_old_browser(page: Page, name: str) -> None:
    await break_script(page, name, None)
    await page.goto(address(page, "en"))
    await expect(page.locator("#notice")).to_contain_text("The page did not load.")
    await expect(page.locator("#notice")).not_to_contain_text(OLD)
    await page.unroute_all()
    await page.get_by_test_id("again").click()
    await expect(page.locator("#notice")).to_contain_text("sign-in for this page has run out")


async def test_methods_above_the_floor_are_not_needed(open_chat: OpenChat) -> None:
    chat = await open_chat(**PHONE)
    app = await MiniApp.prepare(chat)
    await chat.page.context.add_init_script(FORGET)
    await chat.page.reload()
    await chat.connected()
    await app.open(await send_for_erase(chat, encoded(scene())))
    box = await app.box()
    await app.fingers.stroke(wave(box))
    upload = await app.erase()
    expected = ExpectedMask(box, upload.image.size).line(wave(box, reports=DENSE), await app.brush())
    assert overlap(expected.painted, upload.painted) >= 0.98


@pytest.mark.parametrize(("language", "words"), [("en-GB", "The playground did not open"), ("zh-CN", "演示页没有打开")])
async def test_the_playground_says_so_too(open_chat: OpenChat, language: str, words: str) -> None:
    chat = await open_chat()
    context = await chat.page.context.browser.new_context(locale=language)  # type: ignore[union-attr]
    page = await context.new_page()
    await break_script(page, "layer.js", "#")
    await page.goto(f"{chat.url}/playground")
    await expect(page.locator(".too-old")).to_contain_text(words)
    await context.close()


async def test_the_playground_works_without_dialogs_of_the_browser(open_chat: OpenChat) -> None:
    chat = await open_chat()
    page = chat.page
    await page.add_init_script("delete window.HTMLDialogElement")
    await page.reload()
    await chat.connected()
    await chat.choose(jpeg(encoded(scene())))
    await page.keyboard.press("Escape")
    await expect(chat.element("preview")).to_be_hidden()
    await chat.choose(jpeg(encoded(scene())))
    await chat.send("/erase")
    await chat.button(chat.answers.last, "Paint").click()
    frame = page.frame_locator("[data-testid=miniapp-frame]")
    await expect(frame.locator("#picture.ready")).to_be_visible(timeout=WORK_MS)
    await chat.element("miniapp-close").click()
    await expect(chat.element("miniapp")).to_be_hidden()
    await chat.element("menu").click()
    await chat.element("clear").click()
    await page.get_by_role("button", name="Clear chat").last.click()
    await expect(chat.messages).to_have_count(0)
