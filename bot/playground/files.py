"""The files that Telegram keeps: found by file id, downloaded by path."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass

from bot.playground.refusals import bad

MOST_BYTES = 600_000_000
"""What the shelf holds; the oldest files leave first, and are then "temporarily unavailable"."""

DOWNLOAD_BYTES = 20_000_000
"""getFile: larger files cannot be downloaded by a bot."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file.

    Attributes:
        file_id: What a bot names it by.
        unique_id: The same for the same file.
        path: What a bot downloads it by.
        data: Its bytes.
        name: The file's own name, if it was sent as a file.
        mime: Its type.
        width: Pixels across, for pictures.
        height: Pixels down.
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


class Shelf:
    """All files, bounded in bytes."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, StoredFile] = OrderedDict()
        self._by_path: dict[str, str] = {}
        self._bytes = 0

    def put(
        self, data: bytes, folder: str, *, name: str | None = None, mime: str = "", width: int = 0, height: int = 0
    ) -> StoredFile:
        """Keep a file.

        Args:
            data: Its bytes.
            folder: ``photos``, ``documents`` or ``thumbnails``.
            name: Its own name.
            mime: Its type.
            width: Pixels across.
            height: Pixels down.
        """
        unique = secrets.token_urlsafe(10)
        path = f"{folder}/file_{len(self._by_path)}_{unique}"
        file = StoredFile(f"AgAC{secrets.token_urlsafe(36)}", unique, path, data, name, mime, width, height)
        self._files[file.file_id] = file
        self._by_path[file.path] = file.file_id
        self._bytes += len(data)
        while self._bytes > MOST_BYTES:
            _, oldest = self._files.popitem(last=False)
            del self._by_path[oldest.path]
            self._bytes -= len(oldest.data)
        return file

    def get(self, file_id: str) -> StoredFile:
        """A file by its id.

        Raises:
            RefusedError: There is none.
        """
        if file_id not in self._files:
            raise bad("wrong file_id or the file is temporarily unavailable")
        return self._files[file_id]

    def at(self, path: str) -> StoredFile | None:
        """A file by its path."""
        file_id = self._by_path.get(path)
        return self._files[file_id] if file_id else None
