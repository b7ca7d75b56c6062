"""Pictures that are shown, made in the pixel pool: previews, and the pictures of questions in a chat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from bot.edits.pictures.pixels import read_matte
from bot.imaging import encoding, masks, numbering
from bot.imaging.opening import open_photo
from bot.imaging.photo import Photo, Pixels

MAX_RATIO = 12
"""Ratio of the sides above which a picture of a question gets bands: Telegram refuses photos above 20 : 1
(docs/telegram.md#photo-limits)."""

CHAT_SIDE = 1280
"""Long side in pixels of a picture of a question: as large as Telegram shows a photo in a chat."""


def preview(path: Path, max_megapixels: float, long_side: int) -> bytes:
    """A picture as a JPEG whose long side is at most `long_side` pixels."""
    return encoding.encode_preview(open_photo(path, max_megapixels=max_megapixels), long_side)


def highlight_subject(path: Path, stored: bytes, max_megapixels: float, long_side: int) -> bytes:
    """A picture with the subject of a stored matte highlighted, as a JPEG of at most `long_side` pixels."""
    photo = open_photo(path, max_megapixels=max_megapixels)
    matte = read_matte(stored, photo.width, photo.height)
    picture = _add_bands(masks.highlight_subject(photo.pixels, masks.from_matte(matte)))
    return encoding.encode_preview(Photo(picture, icc_profile=photo.icc_profile), long_side)


def number_objects(path: Path, mattes: Sequence[bytes], max_megapixels: float, long_side: int) -> bytes:
    """A photo with the objects of stored mattes outlined and numbered, as a JPEG of at most `long_side` pixels."""
    small = encoding.encode_preview(open_photo(path, max_megapixels=max_megapixels), long_side)
    shown = open_photo(small, max_megapixels=max_megapixels)
    found = [masks.from_matte(read_matte(matte, shown.width, shown.height)) for matte in mattes]
    picture = _add_bands(numbering.draw_numbered_outlines(shown.pixels, found))
    return encoding.encode_preview(Photo(picture, icc_profile=shown.icc_profile), long_side)


def _add_bands(pixels: Pixels) -> Pixels:
    """Add bands to a picture that is too narrow for a chat."""
    height, width = pixels.shape[:2]
    down, across = max(0, width // MAX_RATIO - height), max(0, height // MAX_RATIO - width)
    if not down and not across:
        return pixels
    bands = (down // 2, down - down // 2, across // 2, across - across // 2)
    return np.asarray(cv2.copyMakeBorder(pixels, *bands, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8)
