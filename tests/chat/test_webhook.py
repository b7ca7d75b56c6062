"""Updates by webhook: only with the secret, confirmed after handling, and none lost when the mode changes."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.playground import Person, TelegramServer
from bot.playground.person import Upload
from bot.settings import Settings
from tests.chat.paying import balance, bot_message, invoice
from tests.support import Talk, encoded, running_bot, scene, settings_for

PUBLIC = "https://photos.example.org"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
JPEG = encoded(scene(160, 120))
DEEP, DIGITS, INFINITE = "a deep list", "a number of many digits", "a number that is infinite"


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


def by_webhook(server: TelegramServer, folder: Path, **changes: Any) -> Settings:
    settings = settings_for(server, folder, telegram_updates="webhook", public_url=PUBLIC, **changes)
    server.telegram.updates.proxies[PUBLIC] = f"http://127.0.0.1:{settings.port}"
    return settings


async def test_a_photo_received_by_webhook_is_edited(server: TelegramServer, tmp_path: Path) -> None:
    talk = Talk(server.telegram, 1)
    async with running_bot(by_webhook(server, tmp_path), server.telegram):
        (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
        assert "photo" in await talk.answer_to(sent)
        assert server.telegram.calls["getUpdates"] == 0
        assert server.telegram.updates.waiting == 0, "handled updates are confirmed"


async def test_requests_without_the_secret_are_refused(server: TelegramServer, tmp_path: Path) -> None:
    settings = by_webhook(server, tmp_path, telegram_webhook_secret="let-me-in")
    url = f"http://127.0.0.1:{settings.port}/telegram/webhook"
    person = Person(server.telegram, 1)
    message = {"message_id": 1, "date": 1, "chat": person.chat.info, "from": person.user, "text": "/start"}
    message["entities"] = [{"type": "bot_command", "offset": 0, "length": 6}]
    update = {"update_id": 1, "message": message}
    good = {HEADER: "let-me-in"}
    async with running_bot(settings, server.telegram), aiohttp.ClientSession() as web:

        async def post(**options: Any) -> int:
            async with web.post(url, **options) as answer:
                return answer.status

        assert await post(json=update) == 403
        for wrong in ("", "let-me-i", "let-me-in-", "LET-ME-IN", "påske"):
            assert await post(json=update, headers={HEADER: wrong.encode().decode("latin-1")}) == 403
        assert await post(data=b"{", headers=good) == 400
        assert await post(json=[1], headers=good) in (200, 400)
        assert await post(json={"update_id": "x"}, headers=good) in (200, 400)
        assert await post(data=io.BytesIO(b" " * 2_000_000), headers=good) == 413
        assert await post(json=update, headers=good) == 200

        async def in_chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(body := json.dumps({**update, "update_id": 2}).encode()), 50):
                yield body[start : start + 50]

        assert await post(data=in_chunks(), headers=good) == 200, "a proxy may send the body in chunks"
        await server.telegram.events.wait_until(lambda: len(person.answers) >= 2)
        assert len(person.answers) == 2, "the refused ones had no effect"


def absurd_updates(person: Person) -> list[Any]:
    """Updates that Telegram never sends; each is refused in whole."""
    document = {"file_id": "f", "file_unique_id": "u", "file_name": "a.jpg", "mime_type": "image/jpeg"}
    message = {"message_id": 1, "date": 1, "chat": person.chat.info, "from": person.user, "document": document}
    message |= {"caption": "/erase", "caption_entities": [{"type": "bot_command", "offset": 0, "length": 6}]}
    query = {"id": "1", "from": person.user, "message": message, "chat_instance": "1", "data": "e:x:cancel"}
    odd: list[Any] = [None, True, -1, 10**30, 2**63, 1.5, "", "x" * 100_000, [], {}, [[None]]]
    odd += ["\ud800", "a\0b", DEEP, DIGITS, INFINITE]
    updates: list[Any] = list(odd)
    for path in (
        *("message", "message.message_id", "message.date", "message.chat", "message.chat.id", "message.from"),
        *("message.from.id", "message.from.language_code", "message.document", "message.document.file_id"),
        *("message.document.file_name", "message.document.file_size", "message.photo", "message.caption"),
        *("message.caption_entities", "message.reply_to_message", "message.external_reply", "message.sender_chat"),
        *("message.media_group_id", "message.message_thread_id", "message.migrate_to_chat_id", "message.sticker"),
        *("callback_query", "callback_query.data", "callback_query.from.id", "callback_query.message", "update_id"),
    ):
        for value in odd:
            update = json.loads(json.dumps({"update_id": 1, "message": message, "callback_query": query}))
            del update["message" if path.startswith("callback_query") else "callback_query"]
            *parents, last = path.split(".")
            at = update
            for name in parents:
                at = at[name]
            at[last] = value
            updates.append(update)
    return updates


async def test_absurd_updates_are_logged_and_confirmed(
    server: TelegramServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = by_webhook(server, tmp_path, telegram_webhook_secret="s")
    url = f"http://127.0.0.1:{settings.port}/telegram/webhook"
    talk = Talk(server.telegram, 3)
    async with running_bot(settings, server.telegram), aiohttp.ClientSession() as web:
        for number, update in enumerate(absurd_updates(talk.person)):
            if isinstance(update, dict) and update.get("update_id") == 1:
                update["update_id"] = number + 10  # else it is the same update as the one before
            async with web.post(url, data=dumped(update), headers={HEADER: "s"}) as answer:
                assert answer.status == 200, str(update)[:200]
        assert "photo" in await talk.answer_to((await talk.person.send(Upload(JPEG), caption="/remove_subject"))[0]), (
            "the bot goes on"
        )
    logged = capsys.readouterr()
    text = logged.out + logged.err
    assert text.count("webhook_not_an_update") > 200
    assert "update_failed" not in text, "no handler met an absurd value"
    assert "Traceback" not in text


def dumped(update: Any) -> bytes:
    """JSON, with what Python's encoder does not write."""
    text = json.dumps(update)
    for name, value in ((DEEP, "[" * 50_000 + "]" * 50_000), (DIGITS, "9" * 5000), (INFINITE, "1e999")):
        text = text.replace(f'"{name}"', value)
    return text.encode()


async def test_the_same_update_posted_twice_at_once_is_one_edit(server: TelegramServer, tmp_path: Path) -> None:
    settings = by_webhook(server, tmp_path, telegram_webhook_secret="s")
    url = f"http://127.0.0.1:{settings.port}/telegram/webhook"
    talk = Talk(server.telegram, 1)
    async with running_bot(settings, server.telegram), aiohttp.ClientSession() as web:
        server.telegram.updates.kinds = ()  # the test delivers this one
        (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
        update = {"update_id": 77, "message": sent}
        posts = [web.post(url, json=update, headers={HEADER: "s"}) for _ in range(5)]
        for answer in [await post for post in posts]:
            assert answer.status == 200
            answer.close()
        await talk.answer_to(sent)
        server.telegram.updates.kinds = ("message",)
        await talk.answer_to(await talk.person.write("/help"))
        assert len(talk.answers_to(sent)) == 1


async def test_switching_between_polling_and_webhook_loses_nothing(server: TelegramServer, tmp_path: Path) -> None:
    talk = Talk(server.telegram, 1)
    kinds = [settings_for(server, tmp_path), by_webhook(server, tmp_path), settings_for(server, tmp_path)]
    sent = []
    for settings in kinds:
        sent += await talk.person.send(Upload(JPEG), caption="/remove_subject")  # while no bot runs
        async with running_bot(settings, server.telegram):
            sent += await talk.person.send(Upload(JPEG), caption="/remove_subject")
            for message in sent[-2:]:
                assert "photo" in await talk.answer_to(message)
    assert [len(talk.answers_to(message)) for message in sent] == [1] * 6


async def test_a_payment_by_webhook_is_credited_and_a_forged_one_is_none(
    server: TelegramServer, tmp_path: Path
) -> None:
    talk = Talk(server.telegram, 1)
    Talk(server.telegram, 2)
    sells = {"edits_per_day": 1, "stars_packs": "2:25", "admins": frozenset({2})}
    settings = by_webhook(server, tmp_path, telegram_webhook_secret="let-me-in", **sells)
    url = f"http://127.0.0.1:{settings.port}/telegram/webhook"
    async with running_bot(settings, server.telegram), aiohttp.ClientSession() as web:
        await talk.person.pay(await invoice(talk))
        await bot_message(talk, "Thank you")
        paid = {
            "currency": "XTR",
            "total_amount": 25,
            "invoice_payload": "x",
            "telegram_payment_charge_id": "forged",
            "provider_payment_charge_id": "",
        }
        message = {"message_id": 1, "date": 1, "chat": talk.person.chat.info, "from": talk.person.user}
        query = {"id": "9", "from": talk.person.user, "currency": "XTR", "total_amount": 25, "invoice_payload": "x"}
        for number, forged in enumerate(
            [
                {"message": {**message, "successful_payment": {**paid, "total_amount": "25"}}},
                {"message": {**message, "successful_payment": {**paid, "telegram_payment_charge_id": 5}}},
                {"message": {**message, "successful_payment": {**paid, "invoice_payload": "x" * 600}}},
                {"message": {**message, "successful_payment": paid}},
                {"pre_checkout_query": {**query, "total_amount": -1}},
                {"pre_checkout_query": {**query, "from": None}},
                {"pre_checkout_query": query},
            ]
        ):
            update = {"update_id": 50 + number, **forged}
            async with web.post(url, json=update, headers={HEADER: "let-me-in"}) as answer:
                assert answer.status == 200
        assert await balance(talk) == 2
        assert server.telegram.calls["answerPreCheckoutQuery"] == 2, "only what a handler may see is answered"
