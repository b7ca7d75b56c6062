"""Waiting, cancelling and trying again, with a cloud engine that answers when the test lets it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from bot.playground import Person, TelegramServer
from bot.playground.person import Upload, buttons
from tests.cloud.abilities import ERASE, SALIENCY
from tests.cloud.standin import CloudStandIn
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())
ADMIN = 7000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(cloud: CloudStandIn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        settings = settings_for(
            server,
            tmp_path_factory.mktemp("data"),
            **with_cloud(cloud),
            volc_concurrency=2,
            pending_per_user=5,
            admins={ADMIN},
            workers=8,
        )
        async with running_bot(settings, server.telegram):
            yield server


async def shows(talk: Talk, message: dict[str, Any], words: str) -> dict[str, Any]:
    """The bot's answer, once it contains these words."""

    def found() -> list[dict[str, Any]]:
        return [a for a in talk.answers_to(message) if words in str(a.get("text") or a.get("caption"))]

    await talk.telegram.events.wait_until(found)
    return found()[0]


async def test_both_commands_call_the_cloud(talk: Talk, cloud: CloudStandIn) -> None:
    start = len(cloud.calls)
    for command in ("/remove_subject", "/remove_background"):
        (sent,) = await talk.person.send(Upload(JPEG), caption=command)
        assert "photo" in await talk.answer_to(sent)
    made = [(call.req_key, call.code) for call in cloud.calls[start:]]
    assert made == [(SALIENCY, 10000), (ERASE, 10000)] * 2


async def test_for_a_painted_mask_only_the_fill_is_requested_from_the_cloud(talk: Talk, cloud: CloudStandIn) -> None:
    photo = scene()
    painted = photo.copy()
    painted.paste((0, 255, 60), (20, 20, 90, 60))
    (original,) = await talk.person.send(Upload(encoded(photo, quality=95)))
    await talk.answer_to(original)
    start = len(cloud.calls)
    (sent,) = await talk.person.send(Upload(encoded(painted, quality=85)), reply_to=original["message_id"])
    assert "photo" in await talk.answer_to(sent)
    assert [call.req_key for call in cloud.calls[start:]] == [ERASE]


async def test_outside_the_mask_the_result_equals_the_photo(talk: Talk, cloud: CloudStandIn) -> None:
    photo = scene(640, 480)
    upload = Upload(encoded(photo, "PNG"), "scene.png", as_file=True)
    (sent,) = await talk.person.send(upload, caption="/remove_subject")
    after = np.asarray(talk.picture(await talk.answer_to(sent)).convert("RGB"))
    before = np.asarray(photo)
    changed = (before != after).any(axis=2)
    assert changed[160:320, 214:426].any()
    changed[130:350, 184:456] = False  # the mask with its dilation and feather
    assert not changed.any()


async def test_cancelling_while_the_cloud_works(talk: Talk, meet: Callable[[], Talk], cloud: CloudStandIn) -> None:
    start = len(cloud.calls)
    with cloud.holding():
        (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
        status = await talk.answer_to(sent, settled=False)
        await cloud.wait_for_calls(start + 1)
        await talk.person.press_labelled(status["message_id"], "Cancel")
        cancelled = await shows(talk, sent, "Stopped")
        others = [meet(), meet()]
        photos = [(await other.person.send(Upload(JPEG), caption="/remove_subject"))[0] for other in others]
        await cloud.wait_for_calls(start + 3)  # both call slots are free again
    for other, photo in zip(others, photos, strict=True):
        assert "photo" in await other.answer_to(photo)
    await talk.person.press_labelled(cancelled["message_id"], "Try again")
    assert "photo" in await shows(talk, sent, "gone")
    assert len(talk.answers_to(sent)) == 1


async def test_cancelling_a_queued_edit(talk: Talk, cloud: CloudStandIn) -> None:
    start = len(cloud.calls)
    with cloud.holding():
        (first,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
        await cloud.wait_for_calls(start + 1)
        (second,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
        waiting = await shows(talk, second, "before yours")
        await talk.person.press_labelled(waiting["message_id"], "Cancel")
        await shows(talk, second, "Stopped")
    assert "photo" in await talk.answer_to(first)
    marker = await talk.person.write("/help")
    await talk.answer_to(marker)
    assert "text" in talk.answers_to(second)[0], "it did not run"


async def test_a_doubtful_find_is_shown_before_anything_is_erased(talk: Talk, cloud: CloudStandIn) -> None:
    photo = scene()
    photo.paste((210, 40, 30), (20, 15, 300, 225))  # nearly all of the picture: probably not the subject
    start = len(cloud.calls)
    (sent,) = await talk.person.send(Upload(encoded(photo)), caption="/remove_subject")
    asked = await talk.answer_to(sent)
    assert "not sure" in asked["caption"], "below a picture of the find"
    shown = talk.picture(asked).convert("RGB")
    assert shown.getpixel((160, 120)) == pytest.approx((210, 40, 30), abs=12), "the find is unchanged"
    assert max(shown.getpixel((5, 5))) < 160, "the rest is darkened"
    assert [call.req_key for call in cloud.calls[start:]] == [SALIENCY]
    texts = [b["text"] for row in asked["reply_markup"]["inline_keyboard"] for b in row]
    assert texts == ["👌 Remove it", "🔎 Something else", "🖌 Paint it myself"]
    await talk.person.press_labelled(asked["message_id"], "Remove it")
    assert "photo" in await shows(talk, sent, "gone")
    again = [call.req_key for call in cloud.calls[start:]]
    assert again.count(SALIENCY) == 1, "the find that was shown is used: the photo is not segmented again"


async def test_waiting_for_the_cloud_shows_the_queue_position(meet: Callable[[], Talk], cloud: CloudStandIn) -> None:
    start = len(cloud.calls)
    people = [meet() for _ in range(5)]
    sent = []
    with cloud.holding():
        for talk in people:
            sent += [(talk, message) for message in await talk.person.send(Upload(JPEG), caption="/remove_subject")]
        await cloud.wait_for_calls(start + 2)
        positions = "In line: 1 before yours.", "In line: 2 before yours."  # two run, one is next
        telegram = people[0].telegram
        await telegram.events.wait_until(
            lambda: set(positions) <= {str(a.get("text", "")).lstrip("⏳ ") for t, m in sent for a in t.answers_to(m)}
        )
    for talk, message in sent:
        assert "photo" in await talk.answer_to(message)


async def test_a_refusal_is_explained_without_a_retry_button(talk: Talk, cloud: CloudStandIn) -> None:
    cloud.fail_next(50411, req_key=SALIENCY)
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
    answer = await talk.answer_to(sent)
    assert "content check" in answer["text"]
    assert "reply_markup" not in answer


async def test_a_temporary_failure_offers_to_try_again(talk: Talk, cloud: CloudStandIn) -> None:
    cloud.fail_next(50501, times=2, req_key=SALIENCY)
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
    failed = await talk.answer_to(sent)
    assert "does not answer" in failed["text"]
    await talk.person.press_labelled(failed["message_id"], "Try again")
    assert "photo" in await shows(talk, sent, "gone")


async def test_more_than_the_allowed_pending_edits_are_refused(talk: Talk, cloud: CloudStandIn) -> None:
    start = len(cloud.calls)
    with cloud.holding():
        sent = [(await talk.person.send(Upload(JPEG), caption="/remove_subject"))[0] for _ in range(6)]
        refused = await shows(talk, sent[5], "5 photos in the works")
        assert [button["text"] for button in buttons(refused)] == ["🔁 Try again"]
        await cloud.wait_for_calls(start + 1)
    for message in sent[:5]:
        assert "photo" in await talk.answer_to(message)


async def test_twenty_photos_at_once_two_in_flight_each_persons_in_order(
    meet: Callable[[], Talk], cloud: CloudStandIn
) -> None:
    cloud.most_in_flight = 0
    cloud.latency = 0.05
    people = [meet() for _ in range(5)]
    sent: dict[int, list[dict[str, Any]]] = {}
    for _ in range(4):
        for talk in people:
            sent.setdefault(talk.person.id, []).extend(await talk.person.send(Upload(JPEG), caption="/remove_subject"))
    for talk in people:
        for message in sent[talk.person.id]:
            assert "photo" in await talk.answer_to(message)
            assert len(talk.answers_to(message)) == 1
    cloud.latency = 0.0
    assert cloud.most_in_flight == 2
    for talk in people:
        done = [
            event.data["reply_to_message"]["message_id"]
            for event in talk.telegram.events.after(0)
            if event.chat == talk.person.id
            and event.kind == "message"
            and event.data["from"]["is_bot"]
            and "photo" in event.data
        ]
        assert done == [message["message_id"] for message in sent[talk.person.id]]


async def test_an_admin_is_notified_once_of_what_only_the_operator_can_fix(
    meet: Callable[[], Talk], server: TelegramServer, cloud: CloudStandIn
) -> None:
    admin = Person(server.telegram, ADMIN)
    cloud.fail_always(50400)
    try:
        for _ in range(2):
            talk = meet()
            (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
            text = (await talk.answer_to(sent))["text"]
            assert "50400" not in text
            assert "try again" in text.lower()
        await server.telegram.events.wait_until(lambda: admin.answers)
    finally:
        cloud.fail_always(None)
    assert len(admin.answers) == 1
    notice = admin.answers[0]["text"]
    assert "50400" in notice
    assert cloud.keys.secret_key not in notice


async def test_after_deleting_their_data_a_persons_buttons_are_too_old(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_background")
    answer = await talk.answer_to(sent)
    asked = await talk.person.write("/delete_my_data")
    await talk.person.press_labelled((await talk.answer_to(asked))["message_id"], "Delete everything")
    await talk.telegram.events.wait_until(lambda: "Done." in talk.person.answers[-1].get("text", ""))
    query = await talk.person.press_labelled(answer["message_id"], "White")

    def alerts() -> list[str]:
        events = talk.telegram.events.after(0)
        return [str(e.data["text"]) for e in events if e.kind == "answer" and e.data["id"] == query]

    await talk.telegram.events.wait_until(alerts)
    assert "too long ago" in alerts()[0]
