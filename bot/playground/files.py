"""The files on Telegram's servers, found by file id and downloaded by path."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from bot.playground.errors import bad_request

MAX_BYTES = 600_000_000
"""Bytes that are stored; beyond them the oldest files are deleted and become "temporarily unavailable"."""

MAX_DOWNLOAD_BYTES = 20_000_000
"""Bytes that a bot may download (docs/telegram.md#file-sizes)."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file.

    Attributes:
        file_id: The id that bots use.
        unique_id: The Bot API's file_unique_id.
        path: The Bot API's file_path.
        data: Its bytes.
        name: The file name of a document.
        mime: Its media type.
        width: Pixels; 0 if it is no picture.
        height: Pixels; 0 if it is no picture.
    """

    file_id: str
    unique_id: str
    path: str
    data: bytes
    name: str | None
    mime: str
    width: int
    height: int

    def as_size(self) -> dict[str, object]:
        """A Bot API PhotoSize."""
        return {
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "width": self.width,
            "height": self.height,
            "file_size": len(self.data),
        }


class FileStore:
    """All files; their total size is limited.

    Attributes:
        forgotten: Ids of the files that are not saved over a restart.
    """

    def __init__(self) -> None:
        self._files: OrderedDict[str, StoredFile] = OrderedDict()
        self._by_path: dict[str, str] = {}
        self._bytes = 0
        self._sent_as: dict[str, dict[str, object]] = {}
        self.forgotten: set[str] = set()

    def put(
        self, data: bytes, folder: str, *, name: str | None = None, mime: str = "", width: int = 0, height: int = 0
    ) -> StoredFile:
        """Store a file.

        Args:
            data: Its bytes.
            folder: ``photos``, ``documents`` or ``thumbnails``.
            name: The file name of a document.
            mime: Its media type.
            width: Pixels, for pictures.
            height: Pixels, for pictures.
        """
        unique = secrets.token_urlsafe(10)
        path = f"{folder}/file_{len(self._by_path)}_{unique}"
        file = StoredFile(f"AgAC{secrets.token_urlsafe(36)}", unique, path, data, name, mime, width, height)
        self.add(file)
        return file

    def add(self, file: StoredFile) -> None:
        """Add a file that was saved."""
        self._files[file.file_id] = file
        self._by_path[file.path] = file.file_id
        self._bytes += len(file.data)
        while self._bytes > MAX_BYTES:
            _, oldest = self._files.popitem(last=False)
            del self._by_path[oldest.path]
            self._sent_as.pop(oldest.file_id, None)
            self.forgotten.discard(oldest.file_id)
            self._bytes -= len(oldest.data)

    def all(self) -> list[StoredFile]:
        """All files, the oldest first."""
        return list(self._files.values())

    def all_sent(self) -> list[dict[str, object]]:
        """How files were sent, each message's content once."""
        return list({id(content): content for content in self._sent_as.values()}.values())

    def forget(self) -> None:
        """Let none of the files of now be saved."""
        self.forgotten = set(self._files)

    def get(self, file_id: str) -> StoredFile:
        """The file with this id.

        Raises:
            BotApiError: There is no such file.
        """
        if file_id not in self._files:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        return self._files[file_id]

    def remember(self, file_ids: Iterable[str], content: dict[str, object]) -> None:
        """Record how these files were sent: the fields of a message, ``photo`` or ``document``."""
        for file_id in file_ids:
            self._sent_as[file_id] = content

    def sent_as(self, file_id: str) -> dict[str, object]:
        """How a file was sent; {} for a file that was not sent in a message, such as a thumbnail.

        Raises:
            BotApiError: There is no such file.
        """
        return self._sent_as.get(self.get(file_id).file_id, {})

    def by_path(self, path: str) -> StoredFile | None:
        """The file with this path, or None."""
        file_id = self._by_path.get(path)
        return self._files[file_id] if file_id else None
