"""Results of edits, written in the pixel pool: the filled picture, or the subject before a new background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.imaging import backdrop, compositing, cutout, encoding, masks
from bot.imaging.photo import Mask, Matte, Photo, PictureFormat

FEATHER = 2.0
"""Standard deviation in pixels of the blend at a mask's edge, inside the mask (docs/local-engine.md#feathering)."""


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
        new: ``clean`` (a backdrop of the background's own colours), ``transparent``, ``white``, ``blur``,
            ``#rrggbb``, or a picture (an inpainted background, or the person's own).
        target: The file to write.
        file_format: Its format; None: the photo's own.
        seed: Variants of the clean backdrop differ in it.
    """
    subject = cutout.cut_out(photo, matte)
    if new == "transparent":
        return write(subject, target, file_format)
    if isinstance(new, str) and (new == "white" or new.startswith("#")):
        return write(cutout.flatten(subject, colour(new)), target, file_format)
    if isinstance(new, Photo):
        behind = new if new.pixels.shape == photo.pixels.shape else backdrop.picture_backdrop(photo, new)
    elif new == "blur":
        behind = backdrop.blurred_backdrop(photo, matte)
    else:
        behind = backdrop.clean_backdrop(photo, matte, seed=seed)
    return write(compositing.composite(behind, subject, matte), target, file_format)


def colour(finish: str) -> tuple[int, int, int]:
    """``white`` or ``#rrggbb`` as (red, green, blue), each 0–255."""
    if finish == "white":
        return (255, 255, 255)
    value = int(finish.removeprefix("#"), 16)
    return (value >> 16, value >> 8 & 255, value & 255)


def write(photo: Photo, target: Path, file_format: PictureFormat | None) -> WrittenPicture:
    """Encode a picture into a file; without a format in the picture's own."""
    chosen = file_format or photo.format
    target.write_bytes(encoding.encode(photo, chosen))
    return WrittenPicture(chosen, photo.width, photo.height)


def format_of(data: bytes) -> PictureFormat:
    """The format of a file that `write` wrote, by its first bytes."""
    header = data[:12]
    if header.startswith(b"\x89PNG"):
        return "PNG"
    return "WEBP" if header[8:12] == b"WEBP" else "JPEG"
