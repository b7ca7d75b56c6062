"""A process killed at any moment: every accepted photo is answered, once."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.chat.results import labels, picture_of, result_of
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, check_once, environment, send_photos
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(160, 120)))


async def test_killed_while_the_cloud_works(server: TelegramServer, cloud: CloudStandIn, tmp_path: Path) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talks = [Talk(server.telegram, number) for number in (1, 2, 3)]
    try:
        await bot.start()
        with cloud.holding():
            sent = await send_photos(talks, 1, PHOTO)
            await cloud.wait_for_calls(3)
            await bot.kill()
        before = len(cloud.calls)
        await bot.start()
        await all_answered(sent, seconds=60)
        check_once(sent)
        assert len(cloud.calls) - before == 6, "one call was repeated for each photo, and none besides"
    finally:
        await bot.kill()


async def test_killed_before_the_update_was_confirmed(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talk = Talk(server.telegram, 1)
    try:
        await bot.start()
        sent = await send_photos([talk], 3, PHOTO)
        await server.telegram.events.wait_until(lambda: server.telegram.calls["sendMessage"] >= 1)
        await bot.kill()
        await bot.start()
        await all_answered(sent, seconds=60)
        check_once(sent)
    finally:
        await bot.kill()


async def test_killed_while_the_answer_is_being_delivered(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talk = Talk(server.telegram, 1)
    try:
        await bot.start()
        server.telegram.faults.plan("hang", "editMessageMedia")
        sent = await send_photos([talk], 1, PHOTO)
        await server.telegram.events.wait_until(lambda: server.telegram.calls["editMessageMedia"] == 1)
        calls = len(cloud.calls)
        await bot.kill()
        server.telegram.faults.release()  # Telegram had the request: it delivers, though the bot never learns of it
        await all_answered(sent, seconds=30)
        await bot.start()
        marker = await talk.person.write("/help")
        await talk.answer_to(marker)
        await server.telegram.events.wait_until(lambda: server.telegram.calls["editMessageMedia"] >= 2)
        assert [len(talk.answers_to(message)) for _, message in sent] == [1]
        assert len(cloud.calls) == calls, "the picture was cached: the cloud is not asked again"
    finally:
        await bot.kill()


@pytest.mark.timeout(600)
async def test_random_kills_under_load(server: TelegramServer, cloud: CloudStandIn, tmp_path: Path) -> None:
    dice = random.Random(20)
    cloud.latency = 0.05
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talks = [Talk(server.telegram, number) for number in range(1, 13)]
    try:
        await bot.start()
        sent = await send_photos(talks, 3, PHOTO)
        for _ in range(4):
            edits = server.telegram.calls["editMessageMedia"] + dice.randrange(1, 8)
            await server.telegram.events.wait_until(
                lambda enough=edits: server.telegram.calls["editMessageMedia"] >= enough, seconds=60
            )
            await bot.kill()
            await bot.start()
        await all_answered(sent, seconds=120)
        await asyncio.wait_for(bot.terminate(), 60)
        check_once(sent)
        assert bot.long_pauses == []
    finally:
        await bot.kill()


async def test_killed_while_another_try_is_made_and_while_one_is_shown_again(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talk, telegram = Talk(server.telegram, 1), server.telegram
    try:
        await bot.start()
        result = await result_of(talk)
        first, calls = picture_of(result.now), len(cloud.calls)
        with cloud.holding():
            await result.press("🎲 Another try")
            await cloud.wait_for_calls(calls + 1)
            await bot.kill()
        await bot.start()
        second = picture_of(await result.shows("2/2"))
        assert second != first
        edits = telegram.calls["editMessageMedia"]
        telegram.faults.plan("hang", "editMessageMedia")
        await result.press("‹")
        await telegram.events.wait_until(lambda: telegram.calls["editMessageMedia"] > edits)
        await bot.kill()
        telegram.faults.release()  # Telegram had the request
        await result.shows_picture(first)
        await bot.start()
        await result.press("›")
        assert "2/2" in labels(await result.shows_picture(second))
        assert len(talk.person.answers) == 1
    finally:
        await bot.kill()


async def test_sigterm_waits_for_running_edits(server: TelegramServer, cloud: CloudStandIn, tmp_path: Path) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talks = [Talk(server.telegram, number) for number in (1, 2)]
    try:
        await bot.start()
        with cloud.holding():
            sent = await send_photos(talks, 1, PHOTO)
            await cloud.wait_for_calls(2)
            ending = asyncio.create_task(bot.terminate())
            late = await send_photos(talks, 1, PHOTO)
        assert await ending == 0
        await all_answered(sent, seconds=1)
        assert all("photo" not in a for talk, m in late for a in talk.answers_to(m)), "no new edit was started"
        await bot.start()
        await all_answered(late, seconds=60)
        check_once([*sent, *late])
    finally:
        await bot.kill()


async def test_sigterm_leaves_queued_edits_to_the_next_start(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talk = Talk(server.telegram, 1)
    try:
        await bot.start()
        with cloud.holding():
            sent = await send_photos([talk], 3, PHOTO)
            await cloud.wait_for_calls(1)
            await server.telegram.events.wait_until(lambda: len(talk.person.answers) == 3)
            ending = asyncio.create_task(bot.terminate())
            await bot.says("draining")
        assert await ending == 0
        pictures = [any("photo" in answer for answer in talk.answers_to(message)) for _, message in sent]
        assert pictures == [True, False, False]
        await bot.start()
        await all_answered(sent, seconds=60)
        check_once(sent)
    finally:
        await bot.kill()


async def test_sigterm_with_a_webhook_leaves_new_updates_to_the_next_start(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    public, updates = "https://photos.example.org", server.telegram.updates
    settings = environment(server, cloud, tmp_path, TELEGRAM_UPDATES="webhook", PUBLIC_URL=public)
    updates.proxies[public] = f"http://127.0.0.1:{settings['PORT']}"
    bot, talk = BotProcess(server.telegram, settings), Talk(server.telegram, 1)
    try:
        await bot.start(wait=False)
        with cloud.holding():
            sent = await send_photos([talk], 1, PHOTO)
            await cloud.wait_for_calls(1)
            ending = asyncio.create_task(bot.terminate())
            await bot.says("draining")
            late = await send_photos([talk], 1, PHOTO)
            await server.telegram.events.wait_until(lambda: updates.webhook and updates.webhook.last_error)
            assert updates.webhook is not None
            assert updates.webhook.last_error == "Wrong response from the webhook: 503"
        assert await ending == 0
        await all_answered(sent, seconds=1)
        assert updates.waiting == 1
        await bot.start(wait=False)
        await all_answered(late, seconds=60)
        check_once([*sent, *late])
    finally:
        await bot.kill()


async def test_killed_while_a_persons_data_are_deleted(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talk, telegram = Talk(server.telegram, 1), server.telegram
    try:
        await bot.start()
        await all_answered(await send_photos([talk], 2, PHOTO), seconds=60)
        with cloud.holding():
            await send_photos([talk], 1, PHOTO)
            question = await talk.answer_to(await talk.person.write("/delete_my_data"))
            answers = telegram.calls["answerCallbackQuery"]
            await talk.person.press_labelled(question["message_id"], "Delete everything")
            await telegram.events.wait_until(lambda: telegram.calls["answerCallbackQuery"] > answers)
            await bot.kill()
        await bot.start()
        await telegram.events.wait_until(
            lambda: "Deleted here" in talk.person.chat.messages[question["message_id"]]["text"], seconds=60
        )
        with closing(sqlite3.connect(tmp_path / "bot.sqlite")) as database:
            for table in ("edits", "deletions", "workflow_status", "operation_outputs"):
                assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    finally:
        await bot.kill()
