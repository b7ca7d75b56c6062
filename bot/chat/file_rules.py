"""Telegram's rules for photos and files: how large they may be, and the names of results."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from bot.edits.model import Edit, Operation
from bot.edits.person_settings import Delivery
from bot.edits.ports import ResultFile
from bot.errors import PersonError, UnusableInputError

MAX_PHOTO_SIDES, MAX_PHOTO_RATIO, MAX_PHOTO_BYTES = 10_000, 20, 10_000_000
"""sendPhoto: width + height in pixels, ratio of the sides, size (docs/telegram.md#photo-limits)."""

MAX_STEM = 60
"""Characters of a result's name before its suffix."""

JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner."""

MAX_DOCUMENT_BYTES = 50_000_000
"""sendDocument (docs/telegram.md#file-sizes)."""

MAX_DOWNLOAD_BYTES = 20_000_000
"""getFile of the public Bot API server (docs/telegram.md#file-sizes)."""


def fits_as_photo(made: ResultFile, size: int) -> bool:
    """Whether Telegram accepts the picture as a photo; `size` in bytes (docs/telegram.md#photo-limits)."""
    sides, ratio = made.width + made.height, max(made.width, made.height) / min(made.width, made.height)
    return sides <= MAX_PHOTO_SIDES and ratio <= MAX_PHOTO_RATIO and size <= MAX_PHOTO_BYTES


def must_be_file(edit: Edit, made: ResultFile, data: bytes, delivery: Delivery) -> bool:
    """Whether a result is sent as a file: the person wants it so, or Telegram would refuse or flatten the photo."""
    if delivery is Delivery.FILE or not fits_as_photo(made, len(data)):
        return True
    if delivery is Delivery.PHOTO:
        is_opaque = made.format == "JPEG" or (made.format == "PNG" and _is_opaque_png(data))
        return not is_opaque or edit.finish == "mask"
    return edit.photo.as_file or made.format != "JPEG"


def _is_opaque_png(data: bytes) -> bool:
    """Whether a PNG is grey or RGB without transparency: by the colour type in its header, and its chunk tRNS."""
    return data[25] in (0, 2) and b"tRNS" not in data[: data.find(b"IDAT")]


def result_name(edit: Edit, made: ResultFile) -> str:
    """The file name of a result: the stem of the photo's name, in any script, and a suffix."""
    stem = safe_stem(PurePosixPath((edit.photo.name or "photo").replace("\\", "/")).stem)
    ending = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}[made.format]
    suffix = {Operation.REMOVE_SUBJECT: "clean", Operation.REMOVE_BACKGROUND: "subject", Operation.ERASE: "clean"}
    return f"{stem or 'photo'}-{suffix[edit.operation]}.{ending}"


def safe_stem(stem: str) -> str:
    """A file's stem as every system takes it: composed (NFC), without control and reserved characters, not too long.

    Marks stay with their letters, and the two joiners that Persian, Hindi and emoji need stay too. Characters that turn
    the direction of text go: they can make a name look as if it had another ending.
    """
    composed = unicodedata.normalize("NFC", stem)
    kept = "".join(
        letter for letter in composed if letter in JOINERS or not unicodedata.category(letter).startswith("C")
    )
    safe = re.sub(r'[<>:"/\\|?*]+', "_", " ".join(kept.split()))
    cut = min(len(safe), MAX_STEM)
    while 0 < cut < len(safe) and (safe[cut] in JOINERS or unicodedata.category(safe[cut]).startswith("M")):
        cut -= 1
    return safe[:cut].strip(" .")


def too_large(size: int, limit: int) -> PersonError:
    """The error for a file of `size` bytes that may have `limit` bytes."""
    return UnusableInputError("photo-too-large", megabytes=round(size / 1e6, 1), limit=round(limit / 1e6))
