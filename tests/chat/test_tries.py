"""Tries that are kept: another one is added, ‹ › flips through them, and Original shows the photo as it was sent."""

from __future__ import annotations

import pytest

from bot.playground.person import Upload
from tests.chat.results import JPEG, Result, labels, picture_of, result_of
from tests.support import Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_every_try_is_kept_and_four_are_the_most(talk: Talk) -> None:
    result = await result_of(talk)
    assert labels(result.now) == ["🎲 Another try", "🖼 Original", "🔎 Something else", "🖌 Fix by hand"]
    pictures = await result.tries(4)
    assert len(set(pictures)) == 4
    assert labels(result.now) == ["‹", "4/4", "›", "🖼 Original", "🔎 Something else", "🖌 Fix by hand"]
    assert len(talk.person.answers) == 1, "all in one message"


async def test_flipping_shows_each_try_again_and_makes_none(talk: Talk) -> None:
    result = await result_of(talk)
    pictures = await result.tries(3)
    caption, fetched = result.now["caption"], talk.telegram.calls["getFile"]
    for sign, number in (("›", 1), ("›", 2), ("‹", 1), ("‹", 3), ("‹", 2)):
        assert await result.press(sign) is None
        shown = await result.shows(f"{number}/3")
        assert (picture_of(shown), shown["caption"]) == (pictures[number - 1], caption)
        assert "🎲 Another try" in labels(shown)
    assert talk.telegram.calls["getFile"] == fetched
    assert await result.press("2/3") is None
    assert await result.press("🎲 Another try") is None
    fourth = await result.shows("4/4")
    assert picture_of(fourth) not in pictures, "the next try, whichever was shown"


async def test_erased_pictures_have_tries_too(talk: Talk) -> None:
    painted = scene().copy()
    painted.paste((0, 255, 60), (20, 20, 90, 60))
    (original,) = await talk.person.send(Upload(encoded(scene(), quality=95)), caption="/erase")
    await talk.answer_to(original, settled=False)
    (sent,) = await talk.person.send(Upload(encoded(painted, quality=85)), reply_to=original["message_id"])
    result = Result(talk, await talk.answer_to(sent))
    pictures = await result.tries(2)
    await result.press("‹")
    await result.shows_picture(pictures[0])


@pytest.mark.parametrize("spoiler", [False, True])
async def test_original_shows_the_photo_and_back_the_same_result(talk: Talk, spoiler: bool) -> None:
    (sent,) = await talk.person.send(Upload(JPEG, spoiler=spoiler), caption="/remove_subject")
    result = Result(talk, await talk.answer_to(sent))
    await result.tries(2)
    before = {name: value for name, value in result.now.items() if name != "edit_date"}
    assert await result.press("🖼 Original") is None
    shown = await result.shows("◀️ Back")
    assert picture_of(shown) == sent["photo"][-1]["file_unique_id"]
    assert labels(shown) == ["◀️ Back"]
    assert shown["caption"] == "🖼 This is the photo as it was sent."
    assert shown.get("has_media_spoiler", False) == spoiler
    assert await result.press("◀️ Back") is None
    again = await result.shows("2/2")
    assert {name: value for name, value in again.items() if name != "edit_date"} == before


async def test_the_original_of_a_file_is_the_file_also_under_a_cut_out(talk: Talk) -> None:
    (sent,) = await talk.person.send(
        Upload(encoded(scene(), "PNG"), "cup.png", as_file=True), caption="/remove_background white"
    )
    result = Result(talk, await talk.answer_to(sent))
    before = labels(result.now)
    await result.press("🖼 Original")
    shown = await result.shows("◀️ Back")
    assert shown["document"]["file_name"] == "cup.png"
    assert picture_of(shown) == sent["document"]["file_unique_id"]
    await result.press("◀️ Back")
    again = await result.shows("🖼 Original")
    assert (labels(again), again["document"]["file_name"]) == (before, "cup-subject.png")


async def test_a_finish_that_was_made_before_is_shown_at_once(talk: Talk) -> None:
    result = await result_of(talk, "/remove_background white")
    white, caption = picture_of(result.now), result.now["caption"]
    await result.press("Black")
    black = picture_of(await result.shows("White"))
    fetched = talk.telegram.calls["getFile"]
    await result.press("White")
    again = await result.shows_picture(white)
    assert (again["caption"], talk.telegram.calls["getFile"]) == (caption, fetched)
    await result.press("Black")
    await result.shows_picture(black)


async def test_a_painted_copy_in_reply_works_on_the_try_that_is_shown(talk: Talk) -> None:
    result = await result_of(talk)
    pictures = await result.tries(2)
    await result.press("‹")
    shown = await result.shows_picture(pictures[0])
    copy = talk.picture(shown).convert("RGB")
    copy.paste((0, 255, 60), (20, 20, 90, 60))
    upload = Upload(encoded(copy, quality=85))
    (sent,) = await talk.person.send(upload, caption="/erase", reply_to=result.id)
    erased = Result(talk, await talk.answer_to(sent))
    await erased.press("🖼 Original")
    await erased.shows_picture(pictures[0])


async def test_a_command_in_reply_to_a_result_works_on_that_file(talk: Talk) -> None:
    upload = Upload(encoded(scene(), "PNG"), "cup.png", as_file=True)
    cut_out = await result_of(talk, "/remove_background white", upload)
    asked = await talk.person.write("/remove_subject", reply_to=cut_out.id)
    cleaned = Result(talk, await talk.answer_to(asked))
    assert cleaned.now["document"]["file_name"] == "cup-subject-clean.png"
    await cleaned.press("🖼 Original")
    await cleaned.shows_picture(picture_of(cut_out.now))


async def test_a_command_in_reply_to_the_original_works_on_the_photo(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
    result = Result(talk, await talk.answer_to(sent))
    await result.press("🖼 Original")
    await result.shows("◀️ Back")
    asked = await talk.person.write("/remove_background white", reply_to=result.id)
    cut_out = Result(talk, await talk.answer_to(asked))
    await cut_out.press("🖼 Original")
    await cut_out.shows_picture(sent["photo"][-1]["file_unique_id"])
