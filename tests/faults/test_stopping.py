"""SIGTERM while something hangs: the process ends before compose kills it, and the next start loses nothing."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cli.mistakes import check_is_clean
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, bare_environment, check_once, environment, send_photos
from tests.faults.postgres import PostgresServer
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(160, 120)))


@pytest.mark.parametrize("method", ["getMe", "deleteWebhook", "getUpdates"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_call_that_hangs_does_not_hold_up_the_end(
    server: TelegramServer, tmp_path: Path, method: str, number: signal.Signals
) -> None:
    bot = BotProcess(server.telegram, bare_environment(server, tmp_path, WORKERS=1))
    server.telegram.faults.plan("hang", method, times=99)
    try:
        await bot.start(wait=False)
        await server.telegram.events.wait_until(lambda: server.telegram.calls[method] >= 1, seconds=60)
        assert await bot.terminate(number) == 0
        check_is_clean(bot.log)
        assert "stop_took_too_long" not in bot.log
    finally:
        server.telegram.faults.release()
        await bot.kill()


@pytest.mark.parametrize("method", ["sendMessage", "editMessageMedia"])
async def test_an_edit_whose_message_hangs_goes_on_at_the_next_start(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path, method: str
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path, WORKERS=1))
    talk = Talk(server.telegram, 1)
    try:
        await bot.start()
        # Not "hang": the bot gives up after 20 s, and a message that Telegram posts even later cannot be found.
        server.telegram.faults.plan("hang_and_drop", method)
        sent = await send_photos([talk], 1, PHOTO)
        await server.telegram.events.wait_until(lambda: server.telegram.calls[method] >= 1, seconds=60)
        assert await bot.terminate() == 0
        check_is_clean(bot.log)
        assert "stop_took_too_long" not in bot.log
        server.telegram.faults.release()
        await bot.start()
        await all_answered(sent, seconds=60)
        check_once(sent)
    finally:
        server.telegram.faults.release()
        await bot.kill()


async def test_a_handler_that_hangs_leaves_its_update_to_the_next_start(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path, WORKERS=1))
    talk = Talk(server.telegram, 1)
    try:
        await bot.start()
        sent = await send_photos([talk], 1, PHOTO)
        await all_answered(sent, seconds=60)
        (answer,) = talk.answers_to(sent[0][1])
        await talk.settles(answer["message_id"])
        server.telegram.faults.plan("hang", "answerCallbackQuery", times=99)
        pressing = asyncio.create_task(talk.person.press_labelled(answer["message_id"], "Another try"))
        await server.telegram.events.wait_until(lambda: server.telegram.calls["answerCallbackQuery"] >= 1, seconds=60)
        assert await bot.terminate() == 0
        check_is_clean(bot.log)
        pressing.cancel()
        await asyncio.gather(pressing, return_exceptions=True)
    finally:
        server.telegram.faults.release()
        await bot.kill()


async def test_a_second_sigterm_changes_nothing_and_a_second_ctrl_c_ends_at_once(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path, WORKERS=1))
    talk = Talk(server.telegram, 1)
    try:
        await bot.start()
        with cloud.holding():
            sent = await send_photos([talk], 1, PHOTO)
            await cloud.wait_for_calls(1)
            bot.send(signal.SIGTERM)
            await bot.says("draining")
            ending = asyncio.create_task(bot.terminate())
            await asyncio.sleep(0)
        assert await ending == 0
        await all_answered(sent, seconds=1)
        await bot.start()
        with cloud.holding():
            late = await send_photos([talk], 1, PHOTO)
            await cloud.wait_for_calls(len(cloud.calls) + 1)
            bot.send(signal.SIGINT)
            await asyncio.sleep(0)
            assert await bot.terminate(signal.SIGINT) in (130, 0)
        check_is_clean(bot.log)
        await bot.start()
        await all_answered(late, seconds=60)
        check_once([*sent, *late])
    finally:
        await bot.kill()


async def test_sigterm_while_it_starts(server: TelegramServer, tmp_path: Path) -> None:
    bot = BotProcess(server.telegram, bare_environment(server, tmp_path, WORKERS=1))
    try:
        await bot.start(wait=False)
        scratch = tmp_path / "scratch"
        async with asyncio.timeout(60):
            while not scratch.exists():  # noqa: ASYNC110 -- a folder sends no event when it is made
                await asyncio.sleep(0.02)
        assert await bot.terminate() == 0
        check_is_clean(bot.log)
        assert not list(scratch.glob("run-*"))
    finally:
        await bot.kill()


@pytest.mark.parametrize("command", ["run", "worker"])
async def test_sigterm_while_the_database_hangs(
    server: TelegramServer, cloud: CloudStandIn, postgres: PostgresServer, tmp_path: Path, command: str
) -> None:
    settings = environment(server, cloud, tmp_path, WORKERS=1, DATABASE_URL=postgres.new_database())
    bot = BotProcess(server.telegram, settings, command=command)
    try:
        await bot.start(wait=False)
        await bot.says("ready" if command == "run" else "working")
        with postgres.frozen():
            assert await bot.terminate() in (0, 4)
        check_is_clean(bot.log)
    finally:
        await bot.kill()
