"""The status message says about how long it takes, from the times of recent edits; the cloud is held meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.playground import TelegramServer
from bot.playground.person import Upload
from bot.storage.database import Database
from tests.cloud.standin import CloudStandIn
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())
FIND = "remove_subject:find:0"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory, cloud: CloudStandIn) -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        settings = settings_for(server, tmp_path_factory.mktemp("data"), **with_cloud(cloud))
        database = Database(settings.database)
        await database.start()
        for _ in range(40):
            await Store(database, EditLimits()).work_times.record(FIND, "volcengine", 18.0)
        await database.close()
        async with running_bot(settings, server.telegram):
            yield server


async def shows(talk: Talk, message: dict[str, object], text: str) -> None:
    """Wait until the status message has this text."""
    await talk.telegram.events.wait_until(lambda: text in [a.get("text") for a in talk.answers_to(message)])


async def test_the_status_message_says_about_how_long_it_takes(meet: Callable[..., Talk], cloud: CloudStandIn) -> None:
    english, chinese, third = meet(), meet("zh-hans"), meet()
    start = len(cloud.calls)
    with cloud.holding():
        (first,) = await english.person.send(Upload(JPEG), caption="/remove_subject")
        await shows(english, first, "⏳ On it… About 20 s.")
        (second,) = await chinese.person.send(Upload(JPEG), caption="/remove_subject")
        await shows(chinese, second, "⏳ 排队中：前面还有 1 张。大约 20 秒后完成。")
        await cloud.wait_for_calls(start + 1)
        (queued,) = await third.person.send(Upload(JPEG), caption="/remove_subject")
        await shows(third, queued, "⏳ In line: 2 before yours. About 40 s.")
        await shows(english, first, "🔎 Finding the subject… About 20 s.")
    for talk, message in ((english, first), (chinese, second), (third, queued)):
        assert "photo" in await talk.answer_to(message)


async def test_of_what_was_never_measured_nothing_is_said(talk: Talk, cloud: CloudStandIn) -> None:
    with cloud.holding():
        (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_background white")
        await shows(talk, sent, "🔎 Finding the subject…")
    answer = await talk.answer_to(sent)
    states = [e.data for e in talk.telegram.events.after(0) if e.data.get("message_id") == answer["message_id"]]
    assert not any("About" in state.get("text", "") for state in states)
