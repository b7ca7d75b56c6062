"""What an operator's monitoring reads, on a port that people cannot reach."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.support import Talk, encoded, free_port, running_bot, scene, settings_for, with_cloud

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def read(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as web, web.get(f"http://127.0.0.1:{port}/{path}") as answer:
        return answer.status, await answer.text()


async def test_metrics_have_a_port_of_their_own(tmp_path: Path, cloud: CloudStandIn) -> None:
    port = free_port()
    async with TelegramServer() as server:
        settings = settings_for(server, tmp_path, **with_cloud(cloud), metrics_port=port)
        async with running_bot(settings, server.telegram):
            talk = Talk(server.telegram, 4712)
            for _ in range(2):  # the second one starts when the first one has ended
                (sent,) = await talk.person.send(Upload(encoded(scene(160, 120))), caption="/remove_background")
                await talk.answer_to(sent)
            status, text = await read(port, "metrics")
            assert (await read(port, "readyz"))[0] == 200
            assert (await read(settings.port, "metrics"))[0] == 404
            assert (await read(settings.port, "healthz"))[0] == 200
    assert status == 200
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["bot_telegram_calls_total", "sendMessage", "200"] >= 1
    assert samples["bot_telegram_calls_total", "file", "200"] >= 1
    assert samples["bot_edit_step_seconds_count", "make"] >= 1
    assert samples["bot_edit_seconds_count", "remove_background"] >= 1
    assert ("bot_queue_oldest_seconds",) in samples
    assert talk.telegram.token not in text
