"""The playground's chat page in a browser, with the whole program behind it."""

from __future__ import annotations

import asyncio
import re

import numpy as np
import pytest
from playwright.async_api import Route, expect

from tests.page.chat_page import WORK_MS, ChatPage, OpenChat, jpeg
from tests.support import encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())


def red(pixels: np.ndarray) -> float:
    """The share of red pixels, those of the scene's block."""
    return float(((pixels[..., 0] > 150) & (pixels[..., 1] < 90)).mean())


async def test_an_empty_chat_greets_and_start_is_answered(chat: ChatPage) -> None:
    await expect(chat.page.locator("#greeting")).to_be_visible()
    await expect(chat.page.locator("#about")).not_to_be_empty()
    await expect(chat.element("sample")).to_have_count(4)
    await chat.element("start").click()
    await expect(chat.own.locator(".text")).to_have_text(["/start"])
    await expect(chat.answers).to_contain_text(["/remove_subject"])
    await expect(chat.page.locator("#greeting")).to_be_hidden()


async def test_the_status_message_of_a_sample_becomes_the_result(chat: ChatPage) -> None:
    seen = await chat.record_answers()
    await chat.element("sample").first.click()
    await expect(chat.element("preview-file")).to_have_count(1)
    await chat.send("/remove_background")
    await expect(chat.own.locator(".text")).to_have_text(["/remove_background"])
    answer = await chat.by_message_id(chat.answers.first)
    clean = await chat.photo_of(answer)
    await expect(chat.messages).to_have_count(2)
    await expect(chat.own.get_by_test_id("reaction")).to_have_text("👀")
    states = await seen()
    assert states[0]["buttons"] == ["Cancel"], "a status message comes first"
    assert not states[0]["picture"]
    assert states[-1]["picture"]
    assert len({state["id"] for state in states}) == 1, "the status message becomes the picture"
    await expect(answer.get_by_test_id("inline-button")).to_contain_text(["Transparent", "White", "Blur", "Fix"])
    assert (await chat.pixels(clean)).std() > 3, "something is on it"


async def test_a_pressed_button_is_busy_until_the_answer_and_changes_the_picture(chat: ChatPage) -> None:
    await chat.choose(jpeg(JPEG))
    await chat.send("/remove_background")
    answer = await chat.by_message_id(chat.answers.first)
    clean = await chat.photo_of(answer)
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await chat.page.route("**/api/press", hold)
    await chat.button(answer, "White").click()
    spinning = chat.page.locator(".key.pending")
    await expect(spinning).to_have_attribute("aria-busy", "true")
    held.set()
    white = await chat.photo_of(answer, other_than=clean)
    await expect(spinning).to_have_count(0)
    pixels = await chat.pixels(white)
    assert pixels[:8, :8].min() > 250
    assert red(pixels) > 0.08, "the subject stays"
    await expect(chat.button(answer, "White")).to_have_count(0)
    await expect(chat.messages).to_have_count(2)


async def test_tries_are_flipped_through_and_the_photo_is_shown(chat: ChatPage) -> None:
    await chat.choose(jpeg(JPEG))
    await chat.send("/remove_subject")
    answer = await chat.by_message_id(chat.answers.first)
    first = await chat.photo_of(answer)
    await chat.button(answer, "Another try").click()
    second = await chat.photo_of(answer, other_than=first)
    await expect(answer.get_by_test_id("inline-button")).to_contain_text(["‹", "2/2", "›", "Another try", "Original"])
    await chat.button(answer, "‹").click()
    assert await chat.photo_of(answer, other_than=second) == first
    await chat.button(answer, "Original").click()
    photo = await chat.photo_of(answer, other_than=first)
    assert red(await chat.pixels(photo)) > 0.08, "the subject is there"
    await chat.button(answer, "Back").click()
    assert await chat.photo_of(answer, other_than=photo) == first
    await expect(chat.messages).to_have_count(2)


async def test_a_dropped_file_comes_back_as_a_file_to_download(chat: ChatPage) -> None:
    dropped = await chat.page.evaluate_handle(
        """(bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "My holiday.png", { type: "image/png" }));
            return transfer;
        }""",
        list(encoded(scene(), "PNG")),
    )
    await chat.page.dispatch_event("body", "dragenter", {"dataTransfer": dropped})
    await expect(chat.element("drop-photo")).to_be_visible()
    await chat.page.dispatch_event("[data-testid=drop-file]", "dragover", {"dataTransfer": dropped})
    await chat.page.dispatch_event("[data-testid=drop-file]", "drop", {"dataTransfer": dropped})
    await expect(chat.element("as-file")).to_be_checked()
    await chat.send("/remove_subject")
    await expect(chat.own).to_contain_text(["My holiday.png"])
    answer = await chat.by_message_id(chat.answers.first)
    await expect(answer).to_contain_text("My holiday-clean.png", timeout=WORK_MS)
    async with chat.page.expect_download() as download:
        await answer.get_by_test_id("download").click()
    saved = await download.value
    assert saved.suggested_filename == "My holiday-clean.png"
    data = (await saved.path()).read_bytes()
    assert data.startswith(b"\x89PNG")
    await answer.locator(".tile").click()
    await expect(chat.element("viewer").locator("img")).to_be_visible()
    await chat.page.keyboard.press("Escape")
    await expect(chat.element("viewer")).to_be_hidden()


async def test_a_picture_pasted_from_the_clipboard_is_sent_as_a_photo(chat: ChatPage) -> None:
    await chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=chat.url)
    await chat.page.evaluate(
        """async (bytes) => {
            const picture = new Blob([new Uint8Array(bytes)], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
        }""",
        list(encoded(scene(), "PNG")),
    )
    await chat.element("composer-text").fill("/remove_subject")
    await chat.page.keyboard.press("Control+v")
    await expect(chat.element("preview-file")).to_have_count(1)
    await expect(chat.element("as-file")).not_to_be_checked()
    await expect(chat.element("dialog-caption")).to_have_value("/remove_subject")
    await chat.send()
    source = await chat.photo_of(chat.answers.first)
    assert red(await chat.pixels(source)) < 0.01


async def test_a_photo_without_a_command_gets_three_buttons(chat: ChatPage) -> None:
    await chat.choose(jpeg(JPEG))
    await chat.send()
    offer = await chat.by_message_id(chat.answers.first)
    await expect(offer.get_by_test_id("inline-button")).to_contain_text(["subject", "background", "paint"])
    await chat.button(offer, "subject").click()
    source = await chat.photo_of(offer)
    assert red(await chat.pixels(source)) < 0.01
    await expect(chat.messages).to_have_count(2)


async def test_a_command_in_reply_to_an_earlier_photo(chat: ChatPage) -> None:
    await chat.choose(jpeg(JPEG))
    await chat.send()
    await expect(chat.answers).to_have_count(1)
    await chat.own.first.hover()
    await chat.own.first.get_by_test_id("reply-to").click()
    await expect(chat.element("reply-bar")).to_be_visible()
    await chat.write("/remove_subject")
    await expect(chat.element("reply-bar")).to_be_hidden()
    await expect(chat.own.nth(1).get_by_test_id("reply-quote")).to_be_visible()
    source = await chat.photo_of(chat.answers.nth(1))
    assert red(await chat.pixels(source)) < 0.01


async def test_a_text_gets_a_help_message(chat: ChatPage) -> None:
    await chat.write("hello")
    await expect(chat.answers.locator(".text")).to_have_text(["Send me a photo, or /help."])
    await chat.answers.locator(".text a, .text button").get_by_text("/help").click()
    await expect(chat.answers).to_have_count(2)
    await expect(chat.answers.last).to_contain_text("/remove_background")


async def test_a_damaged_photo_is_refused_and_reported_as_damaged_when_sent_as_a_file(chat: ChatPage) -> None:
    chat.expected_errors = ("status of 400",)
    await chat.choose(jpeg(JPEG[: len(JPEG) // 2], "half.jpg"))
    await chat.element("dialog-caption").fill("/remove_subject")
    await chat.element("dialog-send").click()
    await expect(chat.page.locator("#preview-error")).to_contain_text("cannot be read as a picture")
    await expect(chat.element("dialog-caption")).to_have_value("/remove_subject")
    await chat.page.locator("#preview-as-file").click()
    await expect(chat.element("preview")).to_be_hidden()
    await expect(chat.own).to_contain_text(["half.jpg"])
    await expect(chat.answers).to_contain_text(["damaged"], timeout=WORK_MS)


async def test_chinese_and_back(chat: ChatPage) -> None:
    await chat.element("menu").click()
    await chat.element("language-zh-hans").click()
    await expect(chat.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    await expect(chat.element("composer-text")).to_have_attribute("placeholder", "消息")
    await expect(chat.element("sample").first).to_have_attribute("title", re.compile("热气球"))
    await chat.element("commands-button").click()
    await expect(chat.element("command")).to_contain_text(["消除主体", "去背景", "涂抹"])
    await chat.element("command").filter(has_text="/help").click()
    await expect(chat.answers).to_contain_text(["命令"])
    await chat.choose(jpeg(JPEG))
    await chat.send("/remove_subject")
    await expect(chat.answers.nth(1)).to_contain_text("主体已消除", timeout=WORK_MS)
    await chat.element("menu").click()
    await chat.element("language-de").click()
    await expect(chat.element("composer-text")).to_have_attribute("placeholder", "Message")
    await chat.write("hallo")
    await expect(chat.answers.nth(2)).to_contain_text("Send me a photo, or /help.")


async def test_after_a_reload_the_chat_and_its_buttons_still_work(chat: ChatPage) -> None:
    await chat.choose(jpeg(JPEG))
    await chat.send("/remove_background")
    clean = await chat.photo_of(chat.answers.first)
    before = await chat.texts()
    await chat.page.reload()
    await chat.connected()
    await expect(chat.messages).to_have_count(2)
    assert await chat.texts() == before
    answer = await chat.by_message_id(chat.answers.first)
    assert await chat.photo_of(answer) == clean
    await expect(chat.own.get_by_test_id("reaction")).to_have_text("👀")
    await chat.button(answer, "White").click()
    await chat.photo_of(answer, other_than=clean)
    await expect(chat.page.locator(".key.pending")).to_have_count(0)


async def test_a_second_window_shows_the_same_chat(chat: ChatPage, open_chat: OpenChat) -> None:
    other = await open_chat()
    await other.write("hello")
    await expect(chat.messages).to_have_count(2)
    await expect(chat.answers).to_contain_text(["Send me a photo"])
    await chat.element("menu").click()
    await chat.element("clear").click()
    await chat.element("alert").get_by_role("button", name="Clear chat").click()
    for each in (chat, other):
        await expect(each.messages).to_have_count(0)
        await expect(each.element("start")).to_be_visible()


async def test_a_text_typed_while_offline_is_kept(chat: ChatPage) -> None:
    chat.expected_errors = ("ERR_FAILED",)
    await chat.page.route("**/api/messages", lambda route: route.abort())
    await chat.write("hello")
    await expect(chat.element("toast")).to_contain_text("No connection")
    await expect(chat.element("composer-text")).to_have_value("hello")
    await chat.page.unroute("**/api/messages")
    await chat.element("send").click()
    await expect(chat.answers).to_contain_text(["Send me a photo"])


async def test_an_album_is_edited_photo_by_photo(chat: ChatPage) -> None:
    await chat.choose(*(jpeg(encoded(scene(seed=seed)), f"{seed}.jpg") for seed in (1, 2)))
    await expect(chat.element("preview-file")).to_have_count(2)
    await chat.send("/remove_subject")
    await expect(chat.page.locator(".has-album")).to_have_count(1)
    await expect(chat.answers).to_have_count(2)
    for number in range(2):
        assert red(await chat.pixels(await chat.photo_of(chat.answers.nth(number)))) < 0.01


async def test_a_sticker_is_answered(chat: ChatPage) -> None:
    await chat.element("attach").click()
    await chat.element("attach-sticker").click()
    await expect(chat.answers).to_contain_text(["I cannot edit a sticker"])


async def test_erase_opens_the_mini_app_and_removes_what_is_painted(chat: ChatPage) -> None:
    await chat.choose(jpeg(JPEG))
    await chat.send("/erase")
    answer = await chat.by_message_id(chat.answers.first)
    await chat.button(answer, "Paint").click()
    canvas = chat.page.frame_locator("[data-testid=miniapp-frame]").get_by_test_id("photo")
    main = chat.element("miniapp-main-button")
    await expect(main).to_be_visible()
    box = await canvas.bounding_box()
    assert box is not None
    left, right = box["x"] + box["width"] * 0.3, box["x"] + box["width"] * 0.7
    await chat.page.mouse.move(left, box["y"] + box["height"] * 0.3)
    await chat.page.mouse.down()
    for step in range(13):
        across = right if step % 2 else left
        await chat.page.mouse.move(across, box["y"] + box["height"] * (0.3 + step / 30), steps=3)
    await chat.page.mouse.up()
    await expect(main).to_be_enabled()
    await main.click()
    source = await chat.photo_of(answer)
    assert red(await chat.pixels(source)) < 0.02


async def test_texts_and_file_names_are_never_parsed_as_html(chat: ChatPage) -> None:
    markup = "<img src=x onerror=\"document.title='owned'\"><b>bold</b>"
    await chat.write(markup)
    await expect(chat.own.locator(".text")).to_have_text([markup])
    await chat.choose(jpeg(JPEG, f"{markup[:30]}.jpg"))
    await chat.send(as_file=True)
    await expect(chat.own.last).to_contain_text("<img src=x")
    await expect(chat.answers).to_have_count(2)
    await expect(chat.page.locator("#messages img[src=x], #messages .text b")).to_have_count(0)
    assert "owned" not in await chat.page.title()


async def test_the_page_cannot_load_anything_from_another_host(chat: ChatPage) -> None:
    chat.expected_errors = ("Content Security Policy",)
    blocked = await chat.page.evaluate(
        """() => new Promise((resolve) => {
            const blocked = [];
            addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
                blocked.push(effectiveDirective);
                if (blocked.length === 4) resolve(blocked.sort());
            });
            for (const tag of ["img", "script", "iframe"]) {
                const element = document.createElement(tag);
                element.src = "https://elsewhere.example/";
                document.body.append(element);
            }
            fetch("https://elsewhere.example/").catch(() => {});
        })"""
    )
    assert blocked == ["connect-src", "frame-src", "img-src", "script-src-elem"]
    chat.external_requests.clear()  # the browser reports these requests too, and that it blocked them
