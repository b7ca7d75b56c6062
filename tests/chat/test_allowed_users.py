"""ALLOWED_USERS in a chat: people by their id, posts in a chat's name by the chat's id."""

from __future__ import annotations

from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.chat.groups import answer_in_group
from tests.support import Talk, encoded, running_bot, scene, settings_for

JPEG = encoded(scene())


async def test_allowed_users_names_people_and_groups(tmp_path: Path) -> None:
    async with TelegramServer() as own:
        allowed, stranger = Talk(own.telegram, 71), Talk(own.telegram, 72)
        inside = own.telegram.add_group(-1_000_000_888_001, "Allowed")
        outside = own.telegram.add_group(-1_000_000_888_002, "Others")
        settings = settings_for(own, tmp_path, allowed_users=frozenset({71, inside.info["id"], 1087968824}))
        async with running_bot(settings, own.telegram):
            asked = await stranger.person.write("/help")
            assert "private" in (await stranger.answer_to(asked))["text"]
            await stranger.person.send(Upload(JPEG), caption="/remove_subject", group=outside, in_name_of=outside.info)
            (sent,) = await stranger.person.send(
                Upload(JPEG), caption="/remove_subject", group=inside, in_name_of=inside.info
            )
            assert "photo" in await answer_in_group(stranger, inside, sent)
            asked = await allowed.person.write("/help", group=outside)
            await answer_in_group(allowed, outside, asked)
            own_messages = [m for m in outside.messages.values() if m["from"]["id"] == own.telegram.bot["id"]]
            assert len(own_messages) == 1, "an anonymous admin of another group is not allowed"
