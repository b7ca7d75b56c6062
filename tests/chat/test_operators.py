"""What only the operators can do: /stats, /ban and /unban; to everybody else these commands do not exist."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bot.playground import TelegramServer
from bot.playground.person import Upload
from bot.settings import Settings
from tests.chat.groups import answer_in_group
from tests.cloud.standin import CloudStandIn
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud
from tests.unit.webapp.signing import signed

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())
ADMIN, ABSENT_ADMIN = 8000, 8999
_numbers = itertools.count(8001)
CHANNEL = {"id": -1_000_000_777_123, "type": "channel", "title": "News"}


@pytest.fixture(scope="module")
def settings() -> list[Settings]:
    return []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(
    cloud: CloudStandIn, settings: list[Settings], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        Talk(server.telegram, ADMIN)
        settings.append(
            settings_for(
                server,
                tmp_path_factory.mktemp("data"),
                **with_cloud(cloud),
                admins=frozenset({ADMIN, ABSENT_ADMIN, -5}),
                allowed_users=frozenset({*range(8001, 8500), -1_000_000_777_001, CHANNEL["id"]}),
                public_url="https://photos.example.org",
                volc_price_per_call=0.5,
                volc_concurrency=4,
                workers=4,
            )
        )
        async with running_bot(settings[0], server.telegram):
            yield server


@pytest.fixture
def admin(server: TelegramServer) -> Talk:
    return Talk(server.telegram, ADMIN)


@pytest.fixture
def meet(server: TelegramServer) -> Callable[[], Talk]:
    """A new person among those who may use this bot."""
    return lambda: Talk(server.telegram, next(_numbers))


async def tell(admin: Talk, text: str, **options: Any) -> str:
    """The bot's answer to an admin's command."""
    return str((await admin.answer_to(await admin.person.write(text, **options)))["text"])


def figure(text: str, name: str) -> list[int]:
    """The three figures of a line of /stats; zeros without that line."""
    for line in text.splitlines():
        if line.removeprefix("· ").startswith(f"{name}: "):
            return [int(number.replace(",", "")) for number in line.rpartition(": ")[2].split(" / ")]
    return [0, 0, 0]


async def opens_mini_app(settings: Settings, person: int) -> tuple[int, dict[str, Any]]:
    """The status and the body with which the Mini App lets a person in."""
    assert settings.telegram_bot_token is not None
    token = settings.telegram_bot_token.get_secret_value()
    data = signed({"id": person, "first_name": "A", "language_code": "en"}, auth_date=int(time.time()), token=token)
    url = f"http://127.0.0.1:{settings.port}/api/session"
    async with aiohttp.ClientSession() as web, web.post(url, headers={"Authorization": f"tma {data}"}) as answer:
        return answer.status, json.loads(await answer.text())


@pytest.mark.parametrize("command", ["/stats", "/announce Hello", "/ban 1", "/unban 1"])
async def test_for_everybody_else_the_commands_do_not_exist(meet: Callable[[], Talk], command: str) -> None:
    stranger = meet()
    unknown = await stranger.answer_to(await stranger.person.write("/nonsense"))
    answer = await stranger.answer_to(await stranger.person.write(command))
    assert answer["text"] == unknown["text"]


async def test_an_admin_uses_them_in_the_private_chat_only(server: TelegramServer, admin: Talk) -> None:
    group = server.telegram.add_group(-1_000_000_777_001, "Team")
    await admin.person.write("/stats", group=group)
    asked = await admin.person.write("/ban@photo_cleaning_bot 5", group=group, in_name_of=group.info)
    answer = await answer_in_group(admin, group, asked)
    assert "banned" not in answer["text"]
    assert not [m for m in group.messages.values() if "Photos answered" in m.get("text", "")]


async def test_only_the_admins_menu_names_them(server: TelegramServer) -> None:
    telegram = server.telegram
    public = [command["command"] for command in telegram.commands_for("en", 8001)]
    own = [command["command"] for command in telegram.commands_for("en", ADMIN)]
    assert own == [*public, "stats", "announce", "ban", "unban"]
    assert "统计" in telegram.commands_for("zh-hans", ADMIN)[-4]["description"]
    assert ABSENT_ADMIN not in telegram.chat_commands, "who never started the bot has no chat with it"


async def test_stats_count_each_edit_once(
    server: TelegramServer, cloud: CloudStandIn, admin: Talk, meet: Callable[[], Talk]
) -> None:
    talk, before = meet(), await tell(admin, "/stats")
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_background")
    result = await talk.answer_to(sent)
    broken = await talk.person.send(Upload(b"no picture", name="a.png", as_file=True), caption="/remove_subject")
    await talk.answer_to(broken[0])
    for label, then in (("White", "Clean"), ("Clean", "White"), ("White", "Clean")):
        await talk.person.press_labelled(result["message_id"], label)
        await server.telegram.events.wait_until(
            lambda then=then: then in str(talk.person.chat.messages[result["message_id"]]["reply_markup"])
        )
        await talk.settles(result["message_id"])
    after = await tell(admin, "/stats")
    while "0 waiting, 0 running" not in after:
        after = await tell(admin, "/stats")
    gained = [figure(after, name)[0] - figure(before, name)[0] for name in ("remove_background", "photo-unreadable")]
    assert gained == [2, 1], f"the photo, and white; both are shown again, which is no new edit\n{after}"
    assert figure(after, "People")[0] == figure(before, "People")[0] + 1
    assert figure(after, "remove_background")[2] == figure(after, "remove_background")[0]
    assert "half within: " in after
    calls = sum(figure(after, ability)[0] for ability in ("saliency_seg", "i2i_inpainting"))
    assert calls == len(cloud.calls)
    assert f"estimated cost: {calls * 0.5:,.2f} / " in after
    assert len(after.splitlines()) <= 25


async def test_a_banned_persons_waiting_edits_are_cancelled_and_nothing_is_done_for_them(
    server: TelegramServer, cloud: CloudStandIn, admin: Talk, meet: Callable[[], Talk], settings: list[Settings]
) -> None:
    talk = meet()
    assert (await opens_mini_app(settings[0], talk.person.id))[0] == 200
    with cloud.holding():
        calls = len(cloud.calls)
        sent = [(await talk.person.send(Upload(JPEG), caption="/remove_subject"))[0] for _ in range(3)]
        await cloud.wait_for_calls(calls + 1)
        for message in sent:
            await talk.answer_to(message, settled=False)
        assert await tell(admin, f"/ban {talk.person.id} photos of\nothers") == (
            f"{talk.person.id} is banned. Edits stopped: 3."
        )
        for message in sent:
            assert "Stopped" in (await talk.answer_to(message))["text"]
    answered = len(talk.person.answers)
    refused = await talk.answer_to(await talk.person.write("/help"))
    assert refused["text"] == "You can't use this bot."
    await talk.person.send(Upload(JPEG), caption="/remove_subject")
    await talk.person.write("/help")
    status, body = await opens_mini_app(settings[0], talk.person.id)
    assert (status, body["error"], body["message"]) == (403, "banned", "You can't use this bot.")
    listed = await tell(admin, "/ban")
    assert f"{talk.person.id} · " in listed
    assert "photos of others" in listed
    assert len(talk.person.answers) == answered + 1, "it is said once"

    assert await tell(admin, f"/unban {talk.person.id}") == f"{talk.person.id} may use the bot again."
    assert (await opens_mini_app(settings[0], talk.person.id))[0] == 200
    (again,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
    assert "photo" in await talk.answer_to(again)
    assert await tell(admin, f"/unban {talk.person.id}") == f"{talk.person.id} is not banned."


async def test_anonymous_admins_and_channels_can_be_banned(
    server: TelegramServer, admin: Talk, meet: Callable[[], Talk]
) -> None:
    talk, group = meet(), server.telegram.add_group(-1_000_000_777_001, "Team")
    for name in (group.info, CHANNEL):
        assert "is banned" in await tell(admin, f"/ban {name['id']}")
        (ignored,) = await talk.person.send(Upload(JPEG), caption="/remove_subject", group=group, in_name_of=name)
        (own,) = await talk.person.send(Upload(JPEG), caption="/remove_subject", group=group)
        assert "photo" in await answer_in_group(talk, group, own), "a member of the group is not banned"
        quoted = [m.get("reply_to_message", {}).get("message_id") for m in group.messages.values()]
        assert ignored["message_id"] not in quoted
        assert "may use the bot again" in await tell(admin, f"/unban {name['id']}")


async def test_an_admin_cannot_act_for_a_banned_chat(
    server: TelegramServer, admin: Talk, meet: Callable[[], Talk]
) -> None:
    talk, group = meet(), server.telegram.add_group(-1_000_000_777_001, "Team")
    group.admins.add(talk.person.id)
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_background", group=group, in_name_of=group.info)
    result = await answer_in_group(talk, group, sent)
    await tell(admin, f"/ban {group.info['id']}")
    query = await talk.person.press_labelled(result["message_id"], "White", group=group)

    def alert() -> list[Any]:
        events = server.telegram.events.after(0)
        return [e.data["text"] for e in events if e.kind == "answer" and e.data["id"] == query]

    await server.telegram.events.wait_until(alert)
    assert alert() == ["You can't use this bot."]
    await tell(admin, f"/unban {group.info['id']}")


async def test_a_ban_by_reply_to_a_forwarded_message(server: TelegramServer, admin: Talk) -> None:
    user = {"id": 8450, "is_bot": False, "first_name": "Spam"}
    origins = {
        "8450 is banned": {"type": "user", "date": 1, "sender_user": user},
        "-1000000777999 is banned": {
            "type": "chat",
            "date": 1,
            "sender_chat": {"id": -1_000_000_777_999, "type": "supergroup", "title": "Spam"},
        },
        f"{CHANNEL['id']} is banned": {"type": "channel", "date": 1, "chat": CHANNEL, "message_id": 4},
        "hides who they are": {"type": "hidden_user", "date": 1, "sender_user_name": "Spam"},
    }
    for words, origin in origins.items():
        forwarded = await admin.person.write("Buy now", forwarded_from=origin)
        assert words in await tell(admin, "/ban advertising", reply_to=forwarded["message_id"])
        if "is banned" in words:
            assert "may use" in await tell(admin, "/unban", reply_to=forwarded["message_id"])


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (f"/ban {ADMIN}", "An admin cannot be banned"),
        ("/ban somebody", "/ban alone lists"),
        ("/ban 99999999999999999999", "/ban alone lists"),
        ("/ban 1087968824", "/ban alone lists"),
        ("/ban 0", "/ban alone lists"),
        ("/unban", "/ban alone lists"),
    ],
)
async def test_what_cannot_be_banned(admin: Talk, command: str, words: str) -> None:
    assert words in await tell(admin, command)
