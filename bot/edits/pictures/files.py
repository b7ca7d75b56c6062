"""The cached files of edits: downloaded photos, finished results, and what the segmenter computed for a photo."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from bot.edits.model import Edit, PhotoRef
from bot.edits.ports import Courier
from bot.errors import OutageError, PersonError
from bot.storage.file_cache import FileCache


class EditFiles:
    """Finds an edit's files in the caches, and fetches photos that are not there.

    Args:
        courier: Fetches photos.
        photos: Cache of downloaded photos.
        results: Cache of finished pictures.
        max_file_bytes: Larger photos are refused.

    Attributes:
        photos: Cache of downloaded photos.
        results: Cache of finished pictures.
    """

    def __init__(self, courier: Courier, photos: FileCache, results: FileCache, *, max_file_bytes: int) -> None:
        self._courier = courier
        self.photos = photos
        self.results = results
        self._max_file_bytes = max_file_bytes

    async def fetch(self, photo: PhotoRef) -> Path:
        """The photo's file, from the cache or through the courier.

        Raises:
            OutageError: The disk is full.
        """
        key = photo_key(photo)
        path = self.photos.find(key)
        if path is None:
            data = await self._courier.fetch(photo, max_bytes=self._max_file_bytes)
            with full_disk_as_outage():
                path = await self.photos.put(key, data)
        return path

    async def fetch_result(self, edit: Edit) -> Path:
        """The file of the finished picture.

        Raises:
            PersonError: ``too-old``: the edit has no result.
        """
        if edit.result is None:
            raise PersonError("too-old")
        return await self.fetch(edit.result)

    def maps_of(self, photo: PhotoRef) -> Path:
        """Path of the file in which the segmenter keeps its maps of a photo."""
        return self.photos.path(maps_key(photo))


@contextlib.contextmanager
def full_disk_as_outage() -> Iterator[None]:
    """Treat a full disk as an outage: a step is repeated until there is room again, instead of failing.

    Raises:
        OutageError: In place of the system's error.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OutageError("something-broke", reason="the disk is full") from error


def photo_key(photo: PhotoRef) -> str:
    """Cache key of a photo."""
    return f"photo:{photo.unique_id}"


def maps_key(photo: PhotoRef) -> str:
    """Cache key of the segmenter's maps of a photo."""
    return f"maps:{photo.unique_id}"


def result_key(edit: Edit) -> str:
    """Cache key of a finished picture."""
    return f"result:{edit.id}:{edit.finish}:{edit.seed}"


def cache_keys(edit: Edit) -> list[str]:
    """The keys of all files that the caches may hold for an edit."""
    photos = [photo for photo in (edit.photo, edit.painted, edit.result, edit.background) if photo is not None]
    return [result_key(edit), *(key(photo) for photo in photos for key in (photo_key, maps_key))]
