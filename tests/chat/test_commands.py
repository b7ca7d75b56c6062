"""Every way to request an edit, and the results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bot.imaging import masks
from bot.imaging.photo import Photo
from bot.playground import TelegramServer, samples
from bot.playground.person import Upload
from bot.playground.scenes import beach
from bot.segmentation import shadow
from tests.support import Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())


def is_red(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (pixels[..., 0] > 150) & (pixels[..., 1] < 90)


async def test_a_photo_with_remove_subject_comes_back_without_it(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
    first = await talk.answer_to(sent, settled=False)
    assert "text" in first, "a status message comes first"
    answer = await talk.answer_to(sent)
    assert answer["message_id"] == first["message_id"], "the status message becomes the picture"
    assert "gone" in answer["caption"]
    picture = talk.picture(answer)
    assert picture.size == (320, 240)
    assert is_red(np.asarray(picture)).mean() < 0.01
    assert len(talk.answers_to(sent)) == 1


async def test_a_photo_with_remove_background_keeps_the_subject_only(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_background")
    answer = await talk.answer_to(sent)
    pixels = np.asarray(talk.picture(answer))
    assert pixels.shape == (240, 320, 3)
    assert is_red(pixels)[90:150, 120:200].mean() > 0.95
    texts = [b["text"] for row in answer["reply_markup"]["inline_keyboard"] for b in row]
    assert "Transparent" in texts
    assert "White" in texts


async def test_another_finish_replaces_the_first_result(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_background")
    answer = await talk.answer_to(sent)
    await talk.person.press_labelled(answer["message_id"], "White")
    await talk.telegram.events.wait_until(lambda: "White" not in str(answer_now(talk, answer).get("reply_markup")))
    white = await talk.settles(answer["message_id"])
    assert np.asarray(talk.picture(white))[:8, :8].min() > 250
    await talk.person.press_labelled(answer["message_id"], "Transparent")
    await talk.telegram.events.wait_until(lambda: "document" in answer_now(talk, answer))
    clear = answer_now(talk, answer)
    picture = talk.picture(clear)
    assert picture.format == "PNG"
    assert picture.mode == "RGBA"
    assert np.asarray(picture)[2, 2, 3] == 0
    assert len(talk.answers_to(sent)) == 1


async def test_a_colour_is_chosen_from_swatches(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_background")
    answer = await talk.answer_to(sent)
    await talk.person.press_labelled(answer["message_id"], "🎨 Colour…")
    await talk.telegram.events.wait_until(lambda: "🔵" in str(answer_now(talk, answer)["reply_markup"]))
    await talk.person.press_labelled(answer["message_id"], "Back")
    await talk.telegram.events.wait_until(lambda: "Gradient" in str(answer_now(talk, answer)["reply_markup"]))
    await talk.person.press_labelled(answer["message_id"], "🎨 Colour…")
    await talk.telegram.events.wait_until(lambda: "🔵" in str(answer_now(talk, answer)["reply_markup"]))
    await talk.person.press_labelled(answer["message_id"], "🔵")
    await talk.telegram.events.wait_until(lambda: "#1e88e5" in str(answer_now(talk, answer).get("caption")))
    blue = np.asarray(talk.picture(answer_now(talk, answer)).convert("RGB"), int)
    assert np.abs(blue[:8, :8] - (0x1E, 0x88, 0xE5)).max() < 12
    assert len(talk.answers_to(sent)) == 1


async def test_a_sticker_comes_as_a_file(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_background sticker")
    answer = await talk.answer_to(sent)
    assert answer["document"]["file_name"].endswith(".webp")
    assert max(talk.picture(answer).size) == 512
    await talk.person.press_labelled(answer["message_id"], "Clean")
    await talk.telegram.events.wait_until(lambda: "photo" in answer_now(talk, answer))
    assert talk.picture(answer_now(talk, answer)).size == scene().size


async def test_the_shadow_is_removed_too_and_kept_on_request(talk: Talk) -> None:
    """A parasol on a beach, with its shadow on the sand."""
    before, parasol = beach.paint()
    shade = masks.erode(shadow.find_shadow(Photo(before), parasol), 4) > 0
    assert shade.sum() > 300
    (sent,) = await talk.person.send(Upload(samples.jpeg("beach")), caption="/remove_subject")
    answer = await talk.answer_to(sent)

    def lighter(message: dict[str, Any]) -> float:
        """How much lighter the shadow's area has become: mean of 0 … 255."""
        after = np.asarray(talk.picture(message).convert("RGB")).astype(float)
        return float((after - before)[shade].mean())

    assert "shadow is gone too" in answer["caption"]
    assert lighter(answer) > 15
    await talk.person.press_labelled(answer["message_id"], "Keep the shadow")
    await talk.telegram.events.wait_until(lambda: "shadow-goes" in str(answer_now(talk, answer).get("reply_markup")))
    without = answer_now(talk, answer)
    assert "shadow" not in without["caption"]
    assert abs(lighter(without)) < 5
    core = masks.erode(parasol, 8) > 0
    changed = np.abs(np.asarray(talk.picture(without).convert("RGB")).astype(int) - before).max(axis=2) > 24
    assert changed[core].mean() > 0.8, "the parasol is still removed"
    await talk.person.press_labelled(answer["message_id"], "Remove the shadow too")
    await talk.telegram.events.wait_until(lambda: "shadow-stays" in str(answer_now(talk, answer).get("reply_markup")))
    assert lighter(answer_now(talk, answer)) > 15


def answer_now(talk: Talk, answer: dict[str, Any]) -> dict[str, Any]:
    return talk.person.chat.messages[answer["message_id"]]


async def test_a_command_in_reply_to_any_photo(talk: Talk) -> None:
    (photo,) = await talk.person.send(Upload(JPEG))
    offer = await talk.answer_to(photo)
    asked = await talk.person.write("/remove_background", reply_to=photo["message_id"])
    answer = await talk.answer_to(asked)
    assert "photo" in answer
    again = await talk.person.write("/remove_subject", reply_to=answer["message_id"])
    assert "photo" in await talk.answer_to(again), "the bot's own answer is a photo like any other"
    assert "photo" not in answer_now(talk, offer)


async def test_a_command_alone_waits_for_its_photo(talk: Talk) -> None:
    asked = await talk.person.write("/remove_subject@Photo_Cleaning_Bot")
    assert "Send me the photo" in (await talk.answer_to(asked))["text"]
    (sent,) = await talk.person.send(Upload(JPEG))
    assert "photo" in await talk.answer_to(sent)
    (bare,) = await talk.person.send(Upload(JPEG))
    assert (await talk.answer_to(bare))["text"] == "What should go?", "a pending command applies to one photo"


async def test_a_photo_without_a_command_gets_three_buttons_and_the_question_becomes_the_result(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG))
    offer = await talk.answer_to(sent)
    assert [b["text"] for row in offer["reply_markup"]["inline_keyboard"] for b in row] == [
        "✂️ The subject",
        "🏞 The background",
        "🖌 What I paint",
    ]
    query = await talk.person.press_labelled(offer["message_id"], "subject")
    await talk.telegram.events.wait_until(lambda: "photo" in answer_now(talk, offer))
    answered = [e.data for e in talk.telegram.events.after(0) if e.kind == "answer" and e.data["id"] == query]
    assert answered == [{"id": query, "text": None, "show_alert": False}]
    assert len(talk.answers_to(sent)) == 1


async def test_an_image_file_is_answered_as_a_file_at_full_resolution(talk: Talk) -> None:
    large = scene(3000, 2000)
    upload = Upload(encoded(large, "PNG"), "My holiday.png", as_file=True)
    (sent,) = await talk.person.send(upload, caption="/remove_subject")
    answer = await talk.answer_to(sent, seconds=90)
    assert answer["document"]["file_name"] == "My holiday-clean.png"
    picture = talk.picture(answer)
    assert picture.size == (3000, 2000)
    before, after = np.asarray(large), np.asarray(picture.convert("RGB"))
    assert (before[:400] == after[:400]).all(), "far from the subject every pixel is the photo's own"
    assert is_red(after).mean() < 0.01


async def test_the_same_update_twice_is_one_edit(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
    talk.telegram.updates.add("message", sent)
    talk.telegram.updates.add("message", sent)
    await talk.answer_to(sent)
    marker = await talk.person.write("/help")
    await talk.answer_to(marker)
    assert len(talk.answers_to(sent)) == 1


async def test_an_edited_caption_does_not_start_another_edit(talk: Talk) -> None:
    note = await talk.person.write("hello")
    await talk.answer_to(note)
    await talk.person.edit(note["message_id"], "/remove_subject")
    marker = await talk.person.write("/help")
    await talk.answer_to(marker)
    assert len(talk.answers_to(note)) == 1


async def test_an_album_is_edited_photo_by_photo_under_one_command(talk: Talk) -> None:
    uploads = [Upload(encoded(scene(seed=seed))) for seed in (1, 2, 3)]
    sent = await talk.person.send(*uploads, caption="/remove_subject")
    for message in sent:
        assert "photo" in await talk.answer_to(message)


async def test_other_messages_get_one_helpful_line(talk: Talk) -> None:
    asked = await talk.person.write("what is this?")
    assert (await talk.answer_to(asked))["text"] == "Send me a photo, or /help."
    sticker = await talk.person.send_sticker()
    assert "sticker" in (await talk.answer_to(sticker))["text"]


async def test_start_and_help_name_every_command(talk: Talk) -> None:
    for command in ("/start", "/help"):
        asked = await talk.person.write(command)
        text = (await talk.answer_to(asked))["text"]
        assert "/remove_subject" in text
        assert "/remove_background" in text
        assert "/erase" in text


async def test_texts_are_chinese_for_chinese_speakers_and_english_for_others(meet: Callable[..., Talk]) -> None:
    chinese, german, unknown = meet("zh-hans"), meet("de"), meet(None)
    asked = await chinese.person.write("你好")
    assert "照片" in (await chinese.answer_to(asked))["text"]
    for talk in (german, unknown):
        asked = await talk.person.write("hallo")
        assert (await talk.answer_to(asked))["text"] == "Send me a photo, or /help."
    (sent,) = await chinese.person.send(Upload(JPEG), caption="/remove_subject")
    assert "主体" in (await chinese.answer_to(sent))["caption"]


async def test_commands_are_registered_in_each_language(server: TelegramServer) -> None:
    names = [command["command"] for command in server.telegram.commands_for("en")]
    assert names == [
        "remove_subject",
        "remove_background",
        "erase",
        "settings",
        "language",
        "help",
        "privacy",
        "delete_my_data",
    ]
    assert "主体" in server.telegram.commands_for("zh-hans")[0]["description"]
    assert server.telegram.commands_for("fr") == server.telegram.commands_for("en")


async def test_erase_opens_the_canvas(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG), caption="/erase")
    answer = await talk.answer_to(sent, settled=False)
    apps = [b["web_app"]["url"] for row in answer["reply_markup"]["inline_keyboard"] for b in row if "web_app" in b]
    assert len(apps) == 1
    assert apps[0].startswith("https://photos.example.org/app?edit=")


async def test_in_a_group_erase_leads_into_the_private_chat(talk: Talk, meet: Callable[..., Talk]) -> None:
    group = talk.telegram.add_group(-500 - talk.person.id, "Friends")
    (sent,) = await talk.person.send(Upload(JPEG), caption="/erase", group=group)

    def answers() -> list[dict[str, Any]]:
        return [m for m in group.messages.values() if m["from"]["is_bot"]]

    await talk.telegram.events.wait_until(answers)
    buttons = [b for row in answers()[0]["reply_markup"]["inline_keyboard"] for b in row]
    link = next(b["url"] for b in buttons if "url" in b)
    address, _, start = link.partition("?start=")
    assert address == "https://t.me/photo_cleaning_bot"
    stranger = meet()
    asked = await stranger.person.write(f"/start {start}")
    assert "someone else" in (await stranger.answer_to(asked))["text"]
    asked = await talk.person.write(f"/start {start}")
    canvas = await talk.answer_to(asked, settled=False)
    urls = [b["web_app"]["url"] for row in canvas["reply_markup"]["inline_keyboard"] for b in row if "web_app" in b]
    assert urls
    assert start.removeprefix("e_") not in urls[0], "the private chat has its own edit"
    assert sent["chat"]["id"] == group.info["id"]


async def test_in_a_group_only_photos_with_a_command_are_answered(talk: Talk) -> None:
    group = talk.telegram.add_group(-900 - talk.person.id, "Friends")
    await talk.person.send(Upload(JPEG), group=group)
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject@photo_cleaning_bot", group=group)
    (other,) = await talk.person.send(Upload(JPEG), caption="/remove_subject@another_bot", group=group)

    def pictures() -> list[dict[str, Any]]:
        return [m for m in group.messages.values() if m["from"]["is_bot"] and "photo" in m]

    await talk.telegram.events.wait_until(pictures, seconds=60)
    answers = [m for m in group.messages.values() if m["from"]["is_bot"]]
    assert [m["reply_to_message"]["message_id"] for m in answers] == [sent["message_id"]]
    assert other["message_id"] not in [m["reply_to_message"]["message_id"] for m in answers]


async def test_a_copy_painted_in_telegrams_editor_erases_the_painted_area(talk: Talk) -> None:
    photo = scene()
    painted = photo.copy()
    painted.paste((0, 255, 60), (20, 20, 90, 60))
    (original,) = await talk.person.send(Upload(encoded(photo, quality=95)))
    await talk.answer_to(original)
    (sent,) = await talk.person.send(Upload(encoded(painted, quality=80)), reply_to=original["message_id"])
    answer = await talk.answer_to(sent)
    pixels = np.asarray(talk.picture(answer)).astype(int)
    green = (pixels[..., 1] > 180) & (pixels[..., 0] < 100)
    assert green.mean() < 0.002
    assert is_red(pixels.astype(np.uint8)).mean() > 0.08, "what was not painted stays"
