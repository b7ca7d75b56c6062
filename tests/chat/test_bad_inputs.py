"""Unusable files: each gets one clear answer in the chat, and the bot goes on."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bot.playground.person import Upload
from tests.support import PHOTOS, Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

AWKWARD = PHOTOS / "awkward"
NAMES = sorted(path.name for path in AWKWARD.glob("*.*") if path.suffix != ".tsv" and path.stat().st_size)
"""Without empty files: Telegram does not accept them."""


async def answered(talk: Talk, upload: Upload, caption: str = "/remove_subject") -> str:
    """The text of the bot's final answer to a file; checks that there is one answer only."""
    (sent,) = await talk.person.send(upload, caption=caption)
    answer = await talk.answer_to(sent)
    assert len(talk.answers_to(sent)) == 1
    return str(answer.get("text") or answer.get("caption"))


def as_file(data: bytes, name: str) -> Upload:
    return Upload(data, name, as_file=True)


async def test_a_truncated_jpeg_is_reported_as_damaged(talk: Talk) -> None:
    data = encoded(scene())
    assert "damaged" in await answered(talk, as_file(data[: len(data) // 2], "half.jpg"))


async def test_a_text_file_named_jpg_is_reported_as_no_picture(talk: Talk) -> None:
    assert "not a picture" in await answered(talk, as_file(b"dear diary, " * 100, "photo.jpg"))


async def test_a_file_of_zeros_is_reported_as_no_picture(talk: Talk) -> None:
    assert "not a picture" in await answered(talk, as_file(b"\0" * 5000, "zeros.png"))


async def test_an_animated_gif_is_reported_as_a_moving_picture(talk: Talk) -> None:
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert "moving" in await answered(talk, as_file(out.getvalue(), "fun.gif"))


async def test_a_picture_of_one_pixel_is_too_small(talk: Talk) -> None:
    assert "too small" in await answered(talk, as_file(encoded(Image.new("RGB", (1, 1)), "PNG"), "dot.png"))


async def test_a_cmyk_jpeg_is_cleaned(talk: Talk) -> None:
    assert "gone" in await answered(talk, as_file(encoded(scene().convert("CMYK")), "print.jpg"))


async def test_a_16_bit_png_is_cleaned(talk: Talk) -> None:
    grey = np.full((120, 160), 20_000, np.uint16)
    grey[40:80, 50:100] = 60_000
    grey += np.random.default_rng(1).integers(0, 900, grey.shape, dtype=np.uint16)
    out = io.BytesIO()
    Image.fromarray(grey).save(out, "PNG")
    assert "gone" in await answered(talk, as_file(out.getvalue(), "scan.png"))


async def test_an_exif_rotated_photo_comes_back_upright(talk: Talk) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (sent,) = await talk.person.send(
        as_file(encoded(scene(), exif=exif.tobytes()), "phone.jpg"), caption="/remove_subject"
    )
    picture = talk.picture(await talk.answer_to(sent))
    assert picture.size == (240, 320)
    assert picture.getexif().get(0x0112, 1) == 1, "it is not turned a second time"


async def test_a_command_without_a_photo_asks_for_one(talk: Talk) -> None:
    asked = await talk.person.write("/remove_background")
    assert "Send me the photo" in (await talk.answer_to(asked))["text"]


async def test_a_command_in_reply_to_a_text_asks_for_a_photo(talk: Talk) -> None:
    note = await talk.person.write("just words")
    asked = await talk.person.write("/remove_subject", reply_to=note["message_id"])
    assert "Send me the photo" in (await talk.answer_to(asked))["text"]


async def test_a_25_mb_file_is_refused_before_it_is_downloaded(talk: Talk) -> None:
    downloads = talk.telegram.calls["getFile"]
    text = await answered(talk, as_file(encoded(scene()) + b"\0" * 25_000_000, "huge.jpg"))
    assert "too large" in text
    assert "20 MB" in text
    assert talk.telegram.calls["getFile"] == downloads


async def test_a_picture_of_too_many_pixels_is_refused_before_decoding(talk: Talk) -> None:
    bomb = encoded(Image.new("1", (12_000, 12_000)), "PNG")
    assert len(bomb) < 50_000
    assert "megapixels" in await answered(talk, as_file(bomb, "bomb.png"))


async def test_a_sticker_after_a_command_is_explained(talk: Talk) -> None:
    await talk.answer_to(await talk.person.write("/remove_subject"))
    sticker = await talk.person.send_sticker()
    assert "sticker" in (await talk.answer_to(sticker))["text"]


async def test_an_archive_is_explained(talk: Talk) -> None:
    assert "only clean photos" in await answered(talk, as_file(b"PK\x03\x04" + b"\0" * 500, "archive.zip"))


async def test_a_photo_without_a_subject_offers_to_paint(talk: Talk) -> None:
    flat = Image.new("RGB", (200, 150), (120, 130, 140))
    (sent,) = await talk.person.send(Upload(encoded(flat)), caption="/remove_subject")
    answer = await talk.answer_to(sent)
    assert "nothing here that stands out" in answer["text"]
    (button,) = [button for row in answer["reply_markup"]["inline_keyboard"] for button in row]
    assert "Paint it myself" in button["text"]
    await talk.person.press_labelled(answer["message_id"], "Paint it myself")
    await talk.telegram.events.wait_until(lambda: len(talk.answers_to(sent)) == 2)
    (_, canvas) = talk.answers_to(sent)
    assert "web_app" in canvas["reply_markup"]["inline_keyboard"][0][0]


async def test_forged_and_unknown_buttons_change_nothing(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(encoded(scene())))
    offer = await talk.answer_to(sent)
    stranger = Talk(talk.telegram, talk.person.id + 50_000)
    for data in (
        offer["reply_markup"]["inline_keyboard"][0][0]["callback_data"],
        "x",
        "e::",
        "o:nope:erase",
        "e:a:b:c",
    ):
        forged = {"id": f"forged-{data}", "from": stranger.person.user, "message": offer, "chat_instance": "1"}
        before = talk.telegram.calls["answerCallbackQuery"]
        talk.telegram.updates.add("callback_query", {**forged, "data": data})
        await talk.telegram.events.wait_until(lambda b=before: talk.telegram.calls["answerCallbackQuery"] > b)
    assert talk.answers_to(sent)[0]["text"] == offer["text"], "the offer is unchanged"


@pytest.mark.skipif(not AWKWARD.is_dir(), reason="the awkward photos are not beside this checkout")
@pytest.mark.parametrize("name", NAMES)
async def test_every_awkward_file_gets_one_answer(talk: Talk, name: str) -> None:
    data = (AWKWARD / name).read_bytes()
    text = await answered(talk, as_file(data, name), "/remove_background")
    assert "went wrong" not in text
