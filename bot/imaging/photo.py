"""The photo in its working form, and the names of the arrays that the house passes around."""

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

    The numbers in `pixels` stand in the photo's own colour space when `icc_profile` is set, else in sRGB: a profile is
    kept, not applied, so that pixels outside a mask stay bit-identical.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8 straight alpha, or None for an opaque photo.
        icc_profile: The RGB profile that `pixels` stand in, or None for sRGB.
        format: What the answer is encoded as unless somebody asks otherwise.
        frames: 1, or more where the file is a moving picture of which this is the first frame.
        code_points: Set where the numbers stand for light beyond white (PQ, HLG): no ICC profile describes that, and
            of the answers' formats only PNG can say it.
    """

    pixels: Pixels
    alpha: Matte | None = None
    icc_profile: bytes | None = None
    format: PictureFormat = "JPEG"
    frames: int = 1
    code_points: CodePoints | None = None

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
