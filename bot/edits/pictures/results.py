"""Results of edits, written in the pixel pool: the filled picture, or the subject before a new background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.imaging import backdrop, compositing, cutout, encoding, masks
from bot.imaging.photo import Mask, Matte, Photo, PictureFormat

FEATHER = 2.0
"""Standard deviation in pixels of the blend at a mask's edge, inside the mask (docs/local-engine.md#feathering)."""

COLOURS = {"white": (255, 255, 255), "black": (0, 0, 0)}

BLURS = {"blur-less": 0.45, "blur": 1.0, "blur-more": 2.2}
"""By finish: the strength of the blur."""

CROP_MARGIN = 0.05
"""Margin around a cropped subject, as a share of its long side."""

STICKER_SIDE, MAX_STICKER_BYTES = 512, 512_000
"""Long side in pixels and size of the file (docs/telegram.md#stickers)."""


@dataclass(frozen=True, slots=True)
class WrittenPicture:
    """Format and size of a picture that was written to a file."""

    format: PictureFormat
    width: int
    height: int


def erase(photo: Photo, filled: Photo, mask: Mask, target: Path, file_format: PictureFormat | None) -> WrittenPicture:
    """Paste the filled pixels through the feathered mask and write the picture.

    Outside the mask all pixels are the photo's own.
    """
    whole = compositing.composite(photo, filled, masks.feather_inside(mask, FEATHER))
    return write(whole, target, file_format)


def replace_background(
    photo: Photo, matte: Matte, new: Photo | str, target: Path, file_format: PictureFormat | None, seed: int
) -> WrittenPicture:
    """Put the subject before a new background and write the picture.

    Args:
        photo: The photo.
        matte: (H, W) matte of the subject.
        new: ``clean`` (a backdrop of the background's own colours), ``transparent``, ``white``, ``black``, a name of
            `BLURS`, ``gradient``, ``#rrggbb``, or a picture (an inpainted background, or the person's own); ``crop``:
            transparent, cropped to the subject; ``sticker``: the same, small; ``mask``: the matte, not the photo.
        target: The file to write.
        file_format: Its format; None: the photo's own.
        seed: Variants of the clean backdrop differ in it.
    """
    if new == "mask":
        return write(Photo(np.repeat(matte[:, :, None], 3, axis=2), format="PNG"), target, file_format)
    subject = cutout.cut_out(photo, matte)
    if new == "transparent":
        return write(subject, target, file_format)
    if new == "crop":
        return write(cutout.crop(subject, margin=CROP_MARGIN), target, file_format)
    if new == "sticker":
        return _write_sticker(cutout.scale_to(cutout.crop(subject, margin=0), STICKER_SIDE), target)
    if isinstance(new, str) and (new in COLOURS or new.startswith("#")):
        return write(cutout.flatten(subject, colour(new)), target, file_format)
    if isinstance(new, Photo):
        behind = new if new.pixels.shape == photo.pixels.shape else backdrop.picture_backdrop(photo, new)
    elif new in BLURS:
        behind = backdrop.blurred_backdrop(photo, matte, strength=BLURS[new])
    elif new == "gradient":
        behind = backdrop.gradient_backdrop(photo)
    else:
        behind = backdrop.clean_backdrop(photo, matte, seed=seed)
    return write(compositing.composite(behind, subject, matte), target, file_format)


def colour(finish: str) -> tuple[int, int, int]:
    """A name of `COLOURS` or ``#rrggbb`` as (red, green, blue), each 0–255."""
    if finish in COLOURS:
        return COLOURS[finish]
    value = int(finish.removeprefix("#"), 16)
    return (value >> 16, value >> 8 & 255, value & 255)


def write(photo: Photo, target: Path, file_format: PictureFormat | None) -> WrittenPicture:
    """Encode a picture into a file; without a format in the picture's own."""
    chosen = file_format or photo.format
    target.write_bytes(encoding.encode(photo, chosen))
    return WrittenPicture(chosen, photo.width, photo.height)


def _write_sticker(subject: Photo, target: Path) -> WrittenPicture:
    target.write_bytes(encoding.encode_sticker(subject, MAX_STICKER_BYTES))
    return WrittenPicture("WEBP", subject.width, subject.height)


def format_of(data: bytes) -> PictureFormat:
    """The format of a file that `write` wrote, by its first bytes."""
    header = data[:12]
    if header.startswith(b"\x89PNG"):
        return "PNG"
    return "WEBP" if header[8:12] == b"WEBP" else "JPEG"
