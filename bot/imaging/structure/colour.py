"""What a file can say about its colours besides an ICC profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
"""CIE 1931 chromaticity x, y."""


@dataclass(frozen=True, slots=True)
class Primaries:
    """The colours that a display with these numbers would show.

    Attributes:
        white: Chromaticity of white.
        rgb: Chromaticities of red, green and blue.
    """

    white: Point
    rgb: tuple[Point, Point, Point]


@dataclass(frozen=True, slots=True)
class CodePoints:
    """Coding-independent code points (ITU-T H.273).

    Attributes:
        primaries: Colour primaries (table 2).
        transfer: Transfer characteristics (table 3).
    """

    primaries: int
    transfer: int


@dataclass(frozen=True, slots=True)
class Declared:
    """The colour space that a file declares by numbers.

    Attributes:
        code_points: By H.273 (cICP in PNG, nclx in HEIF and AVIF); None: by the other two.
        exponent: A pure power law from number to light; None: sRGB's curve.
        primaries: None: sRGB's.
    """

    code_points: CodePoints | None = None
    exponent: float | None = None
    primaries: Primaries | None = None
