"""The decoded photo, and the types of the arrays that the program works with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bot.imaging.structure.colour import CodePoints

Pixels: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) uint8 RGB, upright."""
Mask: TypeAlias = NDArray[np.uint8]
"""(H, W) uint8, 255 = selected, 0 = not; no other values."""
Matte: TypeAlias = NDArray[np.uint8]
"""(H, W) uint8 soft mask: 0 = not selected … 255 = wholly selected."""

PictureFormat: TypeAlias = Literal["JPEG", "PNG", "WEBP"]


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One photo, decoded, upright, 8 bits a channel.

    `pixels` are in the colour space of `icc_profile` if set, else in sRGB. A profile is kept, not applied, so that
    pixels outside a mask stay bit-identical.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8 straight alpha, or None for an opaque photo.
        pictures: Number of pictures of equal standing in the file (pages of a TIFF, pictures of a HEIF); above 1, this
            is the main one.
        code_points: Set if the pixels encode light beyond white (PQ, HLG). No ICC profile describes that; of the result
            formats only PNG can declare it.
        icc_profile: The RGB profile of `pixels`, or None for sRGB.
        format: The default format of the result.
        frames: Number of frames in the file; above 1, this is the first frame of an animation.
    """

    pixels: Pixels
    alpha: Matte | None = None
    icc_profile: bytes | None = None
    format: PictureFormat = "JPEG"
    frames: int = 1
    code_points: CodePoints | None = None
    pictures: int = 1

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.pixels.shape[0])

    def with_pixels(self, pixels: Pixels) -> Self:
        """The same photo (alpha, profile, format) with other pixels of the same size."""
        return replace(self, pixels=pixels)
