"""The saved chat: whole after any kill, bounded, private, and without what was deleted."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import pytest

from bot.playground import Person
from bot.playground.person import Upload
from bot.playground.requests import telegram_language
from bot.playground.saved_chat import MAX_MESSAGES, UNREADABLE, SavedChat
from tests.support import encoded, scene

ADA = 7


async def loaded(folder: Path, **options: int) -> tuple[SavedChat, Person]:
    saved = SavedChat(folder / "playground", ADA, **options)
    await saved.load()
    return saved, Person(saved.telegram, ADA)


async def test_messages_pictures_and_unconfirmed_updates_come_back(tmp_path: Path) -> None:
    saved, person = await loaded(tmp_path)
    (photo,) = await person.send(Upload(encoded(scene())), caption="/remove_subject")
    (file,) = await person.send(Upload(encoded(scene(), "PNG"), "../cup.png", as_file=True))
    saved.telegram.react(person.chat, photo["message_id"], "👀")
    await saved.save()
    again, other = await loaded(tmp_path)
    assert other.messages == [photo, file]
    assert other.chat.reactions == {photo["message_id"]: "👀"}
    assert again.telegram.token == saved.telegram.token, "the bot may still edit its messages"
    for size in (*photo["photo"], file["document"]):
        one, two = (state.telegram.files.get(size["file_id"]) for state in (saved, again))
        assert one == two
        assert again.telegram.files.by_path(one.path) == two
    assert again.telegram.files.sent_as(photo["photo"][0]["file_id"]) == {"photo": photo["photo"]}
    assert [update["message"] for update in again.telegram.updates.unconfirmed()] == [photo, file]
    assert (await other.write("next"))["message_id"] > file["message_id"]


async def test_only_their_owner_can_read_the_files(tmp_path: Path) -> None:
    saved, person = await loaded(tmp_path)
    await person.send(Upload(encoded(scene())))
    await saved.save()
    paths = list((tmp_path / "playground").rglob("*"))
    assert len(paths) > 3
    for path in (tmp_path / "playground", *paths):
        assert path.stat().st_mode & 0o077 == 0, path


async def test_the_newest_messages_and_pictures_are_kept(tmp_path: Path) -> None:
    saved, person = await loaded(tmp_path, max_bytes=100_000)
    for number in range(4):
        await person.send(Upload(encoded(scene(seed=number), "PNG"), as_file=True))
    for number in range(MAX_MESSAGES):
        await person.write(f"text {number}")
    (last,) = await person.send(Upload(encoded(scene())))
    await saved.save()
    _, other = await loaded(tmp_path)
    assert len(other.messages) == MAX_MESSAGES
    assert other.messages[-1] == last
    total = sum(path.stat().st_size for path in (tmp_path / "playground" / "files").iterdir())
    assert 0 < total <= 100_000


async def test_what_is_forgotten_is_never_saved_again(tmp_path: Path) -> None:
    saved, person = await loaded(tmp_path)
    (photo,) = await person.send(Upload(encoded(scene())), caption="secret")
    await saved.save()
    await saved.forget(8)
    assert "secret" in (tmp_path / "playground" / "chat.json").read_text(), "another person"
    await saved.forget(ADA)
    later = await person.write("hello", reply_to=photo["message_id"])
    await saved.save()
    text = (tmp_path / "playground" / "chat.json").read_text()
    assert "secret" not in text
    assert not any(size["file_id"] in text for size in photo["photo"])
    assert list((tmp_path / "playground" / "files").iterdir()) == []
    _, other = await loaded(tmp_path)
    assert [message["message_id"] for message in other.messages] == [later["message_id"]]


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"version": 1, "files": []}), "{" * 10_000])
async def test_a_file_that_cannot_be_read_is_ignored(tmp_path: Path, content: str) -> None:
    (tmp_path / "playground").mkdir()
    (tmp_path / "playground" / "chat.json").write_text(content)
    saved, person = await loaded(tmp_path)
    assert person.messages == []
    await person.write("hello")
    await saved.save()
    _, other = await loaded(tmp_path)
    assert len(other.messages) == 1


async def test_what_a_killed_process_left_does_no_harm(tmp_path: Path) -> None:
    saved, person = await loaded(tmp_path)
    (photo,) = await person.send(Upload(encoded(scene())))
    await saved.save()
    (tmp_path / "playground" / "new-abc").write_bytes(b"half a fi")
    (tmp_path / "playground" / "files" / "unnamed").write_bytes(b"no message has it")
    saved, person = await loaded(tmp_path)
    assert person.messages == [photo]
    await saved.save()
    names = {path.name for path in (tmp_path / "playground").rglob("*")}
    assert not names & {"new-abc", "unnamed"}


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("zh-CN", "zh-hans"),
        ("zh", "zh-hans"),
        ("zh-Hant-TW", "zh-hant"),
        ("zh-HK", "zh-hant"),
        ("en-GB", "en"),
        ("pt-BR", "pt-br"),
        ("de", "de"),
        ("", None),
        ("../etc", None),
    ],
)
def test_a_browsers_language_is_the_code_that_telegrams_apps_send(tag: str, code: str | None) -> None:
    assert telegram_language(tag) == code


@pytest.mark.parametrize("content", ['{"version": 1}', '{"version": 1, "files": [7]}', '{"version": 99}', "[]", "\x00"])
async def test_a_chat_that_cannot_be_read_is_kept_until_the_chat_is_cleared(tmp_path: Path, content: str) -> None:
    saved, person = await loaded(tmp_path)
    await person.send(Upload(encoded(scene())))
    await saved.save()
    (tmp_path / "playground" / "chat.json").write_text(content)
    again, empty = await loaded(tmp_path)
    assert empty.messages == []
    await again.save()
    aside = tmp_path / UNREADABLE
    assert (aside / "chat.json").read_text() == content
    assert list((aside / "files").iterdir()), "the pictures are not lost"
    await again.forget(ADA)
    assert not aside.exists(), "deleted means gone"


async def test_a_change_that_could_not_be_written_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, person = await loaded(tmp_path)
    await person.write("hello")
    with monkeypatch.context() as broken:
        broken.setattr(saved, "_write", Mock(side_effect=OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            await saved.save()
    async with saved.saving():  # saves what has changed, at the end at the latest
        assert saved._state() != saved._saved
    _, again = await loaded(tmp_path)
    assert [message["text"] for message in again.messages] == ["hello"]
