"""Keeps the playground's chat over a restart: its messages and pictures, in a folder of DATA_DIR, bounded in size.

What is there is always whole: pictures are written before the file that names them, and that file is replaced at once.
A killed process loses the last half second.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from bot.playground.files import StoredFile
from bot.playground.telegram import Charge, Json, Telegram

log = structlog.get_logger()

VERSION = 1
UNREADABLE = "playground-unreadable"
"""The folder beside the chat's for one chat that could not be read: of another version, or damaged."""

SAVE_SECONDS = 0.5
MAX_MESSAGES = 300
MAX_BYTES = 200_000_000
"""Bytes of pictures; the newest are kept."""

_FILE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SavedChat:
    """Saves the private chat of one person, and the state that the bot relies on: token, ids, unconfirmed updates.

    Args:
        folder: Where it is saved; nothing else may write there.
        person: Id of the person.
        max_bytes: Bytes of pictures that are kept.

    Attributes:
        telegram: The state.
    """

    def __init__(self, folder: Path, person: int, *, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._pictures = folder / "files"
        self._file = folder / "chat.json"
        self._person = person
        self._max_bytes = max_bytes
        self._saving = asyncio.Lock()
        # Not the default executor, which is shut down before the last save.
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._saved: object = None
        self.telegram = Telegram()
        self.telegram.add_person(_user(person))

    async def load(self) -> None:
        """Load what was saved. A chat that cannot be read is moved to `UNREADABLE`, and the new one starts empty."""
        run = asyncio.get_running_loop().run_in_executor
        try:
            saved, data = await run(self._thread, self._read)
            self.telegram = _restored(saved, data, self._person)
        except FileNotFoundError:
            return
        except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
            log.warning("playground_chat_not_loaded", reason=type(error).__name__, kept_as=UNREADABLE)
            await run(self._thread, self._move_unreadable)

    @contextlib.asynccontextmanager
    async def saving(self) -> AsyncIterator[None]:
        """Save changes until the block ends, and once more then."""
        repeating = asyncio.create_task(self._save_repeatedly())
        try:
            yield
        finally:
            repeating.cancel()
            await asyncio.gather(repeating, return_exceptions=True)
            await self._try_to_save()
            self._thread.shutdown()

    async def forget(self, person: int) -> None:
        """Remove everything about the person from the disk; what is in the open chat now is never saved again."""
        if person == self._person:
            self.telegram.forget(person)
            await self.save(remove_unreadable=True)

    async def save(self, *, remove_unreadable: bool = False) -> None:
        """Save the chat as it is now.

        Args:
            remove_unreadable: Whether the chat in `UNREADABLE` is removed, too.

        Raises:
            OSError: It cannot be written.
        """
        async with self._saving:
            state, files = self._state(), self._files()
            content = json.dumps(self._content(files), ensure_ascii=False)
            await asyncio.get_running_loop().run_in_executor(self._thread, self._write, content, files)
            self._saved = state
            if remove_unreadable:
                unreadable = self._folder.with_name(UNREADABLE)
                await asyncio.get_running_loop().run_in_executor(self._thread, shutil.rmtree, unreadable, True)

    async def _save_repeatedly(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            if self._state() != self._saved:
                await self._try_to_save()

    async def _try_to_save(self) -> None:
        try:
            await self.save()
        except OSError as error:  # a full disk: the playground goes on, and the next change tries again
            log.warning("playground_chat_not_saved", reason=error.strerror)
        except Exception:  # the background's boundary
            log.exception("playground_chat_not_saved")

    def _state(self) -> object:
        """Something that differs after each change."""
        updates = self.telegram.updates
        return self.telegram.events.last, updates.last, updates.waiting, self.telegram.chosen_language

    def _files(self) -> list[StoredFile]:
        """The newest files that fit, oldest first."""
        kept: list[StoredFile] = []
        total = 0
        for file in reversed(self.telegram.files.all()):
            if file.file_id in self.telegram.files.forgotten:
                continue
            total += len(file.data)
            if total > self._max_bytes:
                break
            kept.append(file)
        return kept[::-1]

    def _content(self, files: list[StoredFile]) -> Json:
        telegram, chat = self.telegram, self.telegram.chats[self._person]
        numbers = [number for number in chat.messages if number > chat.forgotten][-MAX_MESSAGES:]
        known = set(numbers)
        payloads = {number: text for (id_, number), text in telegram.payloads.items() if id_ == self._person}
        kept_ids = {file.file_id for file in files}
        return {
            "version": VERSION,
            "token": telegram.token,
            "language": telegram.chosen_language,
            "last_message": telegram.last_message_id,
            "last_update": telegram.updates.last,
            "forgotten": chat.forgotten,
            "messages": [_without_forgotten(chat.messages[number], chat.forgotten) for number in numbers],
            "reactions": {number: emoji for number, emoji in chat.reactions.items() if number in known},
            "paid": sorted(chat.paid & known),
            "payloads": {number: text for number, text in payloads.items() if number in known},
            "charges": [asdict(charge) for charge in telegram.charges.values() if charge.message in known],
            "updates": [
                _without_forgotten(update, chat.forgotten)
                for update in telegram.updates.unconfirmed()
                if _message_of(update) in known
            ],
            "files": [{name: value for name, value in _fields(file).items() if name != "data"} for file in files],
            "sent": [content for content in telegram.files.all_sent() if kept_ids.intersection(_ids(content))],
        }

    def _write(self, content: str, files: list[StoredFile]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._pictures.mkdir(mode=0o700, exist_ok=True)
        there = {path.name for path in self._pictures.iterdir()}
        for file in files:
            if file.unique_id not in there:
                self._replace(self._pictures / file.unique_id, file.data)
        self._replace(self._file, content.encode())
        for name in there - {file.unique_id for file in files}:  # after the file that named them is gone
            (self._pictures / name).unlink(missing_ok=True)
        for path in self._folder.glob("new-*"):  # left by a killed process
            path.unlink(missing_ok=True)

    def _replace(self, path: Path, data: bytes) -> None:
        """Write a file atomically; only its owner can read it."""
        handle, name = tempfile.mkstemp(dir=self._folder, prefix="new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _move_unreadable(self) -> None:
        unreadable = self._folder.with_name(UNREADABLE)
        shutil.rmtree(unreadable, ignore_errors=True)
        with contextlib.suppress(OSError):  # the folder cannot be moved: it is written over
            self._folder.rename(unreadable)

    def _read(self) -> tuple[Json, dict[str, bytes]]:
        saved = json.loads(self._file.read_bytes())
        if not isinstance(saved, dict) or saved.get("version") != VERSION:
            raise ValueError("another version")
        data: dict[str, bytes] = {}
        for file in saved["files"]:
            name = str(file["unique_id"])
            if _FILE_NAME.fullmatch(name):
                with contextlib.suppress(FileNotFoundError):
                    data[name] = (self._pictures / name).read_bytes()
        return saved, data


def _restored(saved: Json, data: dict[str, bytes], person: int) -> Telegram:
    """The state that was saved."""
    telegram = Telegram(token=str(saved["token"]))
    telegram.chosen_language = saved["language"]
    telegram.last_message_id = max(telegram.last_message_id, int(saved["last_message"]) + 1)
    telegram.updates.restore(saved["updates"], int(saved["last_update"]))
    telegram.add_person(_user(person))
    chat = telegram.chats[person]
    chat.forgotten = int(saved["forgotten"])
    chat.messages = {int(message["message_id"]): message for message in saved["messages"]}
    chat.reactions = {int(number): str(emoji) for number, emoji in saved["reactions"].items()}
    chat.paid = {int(number) for number in saved["paid"]}
    telegram.payloads = {(person, int(number)): str(text) for number, text in saved["payloads"].items()}
    telegram.charges = {charge["id"]: Charge(**charge) for charge in saved["charges"]}
    for file in saved["files"]:
        if file["unique_id"] in data:
            telegram.files.add(StoredFile(**file, data=data[file["unique_id"]]))
    for content in saved["sent"]:
        telegram.files.remember(_ids(content), content)
    return telegram


def _user(person: int) -> Json:
    return {"id": person, "is_bot": False, "first_name": "You"}


def _without_forgotten(value: Any, forgotten: int) -> Any:
    """A message, or an update with one, without its quote of a message that is not saved."""
    if not isinstance(value, dict):
        return value
    quoted = value.get("reply_to_message", {}).get("message_id", 0)
    return {
        name: _without_forgotten(inner, forgotten)
        for name, inner in value.items()
        if name != "reply_to_message" or quoted > forgotten
    }


def _fields(file: StoredFile) -> Json:
    return {name: getattr(file, name) for name in StoredFile.__slots__}


def _ids(content: Json) -> list[str]:
    """Ids of the files in a message's photo or document."""
    document = content.get("document")
    return [str(size["file_id"]) for size in content.get("photo", [])] + ([document["file_id"]] if document else [])


def _message_of(update: Json) -> int | None:
    """Id of the message that an update is about; None: of none."""
    message = update.get("message") or update.get("callback_query", {}).get("message") or {}
    number: int | None = message.get("message_id")
    return number
