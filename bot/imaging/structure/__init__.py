"""A file's structure, read before any decoder sees the file: how much work it asks for, and what its colours mean.

A decoder's work grows with more than a picture's size: a JPEG of a few hundred kilobytes can hold thousands of scans,
each of which passes over all pixels. So the parts of a file are counted first (`jpeg`, `png`, `tiff`, `gif`, `bmp`),
and parts that a viewer ignores are left out of what the decoder gets.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.imaging.structure import bmff, bmp, gif, jpeg, png, raw, tiff
from bot.imaging.structure.colour import CodePoints, Declared


@dataclass(frozen=True, slots=True)
class Structure:
    """A file that is safe to hand to a decoder.

    Attributes:
        data: What to decode: the file, or the file without what a viewer ignores.
        declared: What the file says about its colours besides an ICC profile; None: nothing.
        icc_profile: The ICC profile, where it was taken out of the file; None: the decoder finds it, if there is one.
        page: The page (frame) that holds the photo, where the first one is a preview.
        pictures: How many pictures of equal standing the file holds (pages of a TIFF).
        is_sequence: Whether the file holds moving pictures, too (HEIF, AVIF).
        formats: The decoders that may open it, by Pillow's names; empty: any.
        complete: False where the end marker of a JPEG was missing and is added: pixels may be missing too.
    """

    data: bytes
    declared: Declared | None = None
    icc_profile: bytes | None = None
    page: int = 0
    pictures: int = 1
    is_sequence: bool = False
    formats: tuple[str, ...] = ()
    complete: bool = True


def read_structure(data: bytes) -> Structure:
    """Read the structure of a stranger's file.

    Args:
        data: The file.

    Raises:
        UnusableInputError: ``photo-too-complex`` (too many parts), ``photo-raw`` (a camera's raw file),
            ``photo-broken`` (a decoder would crash).
    """
    raw.refuse(data)
    if data.startswith(b"\xff\xd8"):
        reduced, complete = jpeg.reduce(data)
        return Structure(reduced, complete=complete)
    if data.startswith(png.SIGNATURE):
        reduced_png = png.reduce(data)
        return Structure(reduced_png.data, reduced_png.declared, reduced_png.icc_profile)
    if data[:4] in tiff.MAGIC:
        found = tiff.find_photo(data)
        return Structure(found.data, page=found.number, pictures=found.pictures)
    if data[:2] == b"BM":
        bmp.check(data)
    if data[:3] == b"GIF":
        gif.check(data)
    if data[4:8] == b"ftyp":
        bmff.check_names(data)
        points = bmff.code_points(data)
        return Structure(
            data,
            Declared(code_points=points) if points else None,
            is_sequence=bmff.is_sequence(data),
            formats=("AVIF",) if bmff.is_avif(data) else ("HEIF",),
        )
    return Structure(data)


__all__ = ["CodePoints", "Declared", "Structure", "read_structure"]
