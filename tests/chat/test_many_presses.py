"""Fast, late and foreign presses on the buttons under results: clear answers and few calls."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.chat.groups import answer_in_group
from tests.chat.results import BUSY, JPEG, Result, data_of, labels, picture_of, result_of
from tests.cloud.abilities import ERASE
from tests.cloud.standin import CloudStandIn
from tests.support import Talk, running_bot, settings_for, with_cloud

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOO_OLD, NOT_YOURS = "too long ago", "belongs to someone else"

_groups = itertools.count(-1_000_000_888_000, -1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(cloud: CloudStandIn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        settings = settings_for(server, tmp_path_factory.mktemp("data"), **with_cloud(cloud), volc_concurrency=2)
        async with running_bot(settings, server.telegram):
            yield server


async def test_ten_quick_presses_of_one_button_flip_once(talk: Talk) -> None:
    result = await result_of(talk)
    pictures = await result.tries(3)
    edits, flip = talk.telegram.calls["editMessageMedia"], data_of(result.now, "›")
    for _ in range(10):
        assert await result.press("›", data=flip) is None
    await result.shows_picture(pictures[0])
    assert talk.telegram.calls["editMessageMedia"] == edits + 1


async def test_of_many_wanted_pictures_only_the_last_is_shown(talk: Talk) -> None:
    result = await result_of(talk)
    pictures = await result.tries(3)
    telegram, third = talk.telegram, result.now
    before, backward = data_of(third, "‹"), data_of(third, "›")
    edits = telegram.calls["editMessageMedia"]
    telegram.faults.plan("hang", "editMessageMedia")
    await result.press("‹", data=before)
    await telegram.events.wait_until(lambda: telegram.calls["editMessageMedia"] > edits)
    for _ in range(5):
        await result.press("›", data=backward)
        await result.press("‹", data=before)
    await result.press("›", data=backward)
    telegram.faults.release()
    await result.shows_picture(pictures[0])
    assert telegram.calls["editMessageMedia"] == edits + 2


async def test_ten_quick_presses_of_another_try_make_one(talk: Talk, cloud: CloudStandIn) -> None:
    result = await result_of(talk)
    fills = len([call for call in cloud.calls if call.req_key == ERASE])
    another = data_of(result.now, "🎲 Another try")
    with cloud.holding():
        for _ in range(10):
            assert await result.press("🎲 Another try", data=another) is None
    await result.shows("2/2")
    assert await result.press("🎲 Another try", data=another) is None, "a client with the old buttons"
    await talk.answer_to(await talk.person.write("/help"))
    assert len([call for call in cloud.calls if call.req_key == ERASE]) == fills + 1
    assert "2/2" in labels(result.now)


async def test_other_buttons_wait_while_a_try_is_made(talk: Talk, cloud: CloudStandIn) -> None:
    result = await result_of(talk)
    await result.tries(2)
    shown = result.now
    old = {label: data_of(shown, label) for label in ("‹", "🖼 Original", "🔎 Something else", "2/2")}
    with cloud.holding():
        await result.press("🎲 Another try")
        await result.shows("Cancel")
        for label, data in old.items():
            said = await result.press(label, data=data)
            assert (said is None) if label == "2/2" else BUSY in str(said), label
    await result.shows("3/3")


async def test_a_try_that_is_stopped_leads_back_to_the_result_before(talk: Talk, cloud: CloudStandIn) -> None:
    result = await result_of(talk)
    pictures = await result.tries(2)
    await result.press("‹")
    before = await result.shows_picture(pictures[0])
    start = len(cloud.calls)
    with cloud.holding():
        await result.press("🎲 Another try")
        await cloud.wait_for_calls(start + 1)
        await result.shows("Cancel")
        await result.press("Cancel")
        stopped = await result.shows("◀️ Back")
    assert labels(stopped) == ["🔁 Try again", "◀️ Back"]
    assert picture_of(stopped) == pictures[0], "the result is still there, under other words"
    await result.press("◀️ Back")
    again = await result.shows("1/2")
    assert (picture_of(again), again["caption"]) == (pictures[0], before["caption"])
    await result.press("🎲 Another try")
    assert picture_of(await result.shows("3/3")) not in pictures


async def test_a_try_that_fails_leads_back_too_and_can_be_tried_again(talk: Talk, cloud: CloudStandIn) -> None:
    result = await result_of(talk)
    (first,) = await result.tries(1)
    cloud.fail_next(50501, times=2, req_key=ERASE)
    await result.press("🎲 Another try")
    failed = await result.shows("◀️ Back")
    assert "does not answer" in failed["caption"]
    retry = data_of(failed, "🔁 Try again")
    await result.press("◀️ Back")
    assert "‹" not in labels(await result.shows_picture(first))
    await result.press("🔁 Try again", data=retry)
    await result.shows("2/2")


async def test_a_picture_that_telegram_no_longer_has_is_made_again(talk: Talk) -> None:
    result = await result_of(talk)
    pictures = await result.tries(2)
    telegram = talk.telegram
    real, telegram.files.sent_as = telegram.files.sent_as, lambda _file_id: {}  # type: ignore[method-assign]
    try:
        await result.press("‹")
        await telegram.events.wait_until(lambda: "1/2" in labels(result.now), seconds=60)
    finally:
        telegram.files.sent_as = real  # type: ignore[method-assign]
    assert picture_of(result.now) not in pictures


async def test_presses_after_the_data_are_deleted(talk: Talk) -> None:
    result = await result_of(talk)
    await result.tries(2)
    asked = await talk.answer_to(await talk.person.write("/delete_my_data"))
    await talk.person.press_labelled(asked["message_id"], "Delete everything")
    await talk.telegram.events.wait_until(lambda: "Done." in talk.person.answers[-1].get("text", ""))
    for label in labels(result.now):
        assert TOO_OLD in str(await result.press(label)), label


async def test_others_in_a_group_cannot_flip(talk: Talk, meet: Callable[[], Talk]) -> None:
    group, other = talk.telegram.add_group(next(_groups), "Friends"), meet()
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject", group=group)
    result = Result(talk, await answer_in_group(talk, group, sent), group)
    pictures = await result.tries(2)
    for label in ("‹", "2/2", "🎲 Another try", "🖼 Original"):
        assert NOT_YOURS in str(await result.press(label, by=other)), label
    assert picture_of(result.now) == pictures[1]
    await result.press("‹")
    await result.shows_picture(pictures[0])
