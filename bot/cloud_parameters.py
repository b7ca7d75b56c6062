"""The cloud engine's parameters, once: defaults and ranges, for the settings and for the engine's own check.

The values are the documented ones, see docs/volcengine.md#erase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Ability: TypeAlias = Literal["i2i_inpainting", "jimeng_image2image_dream_inpaint"]
Quality: TypeAlias = Literal["H", "M", "L"]

DEFAULT_ENDPOINT: Final = "https://visual.volcengineapi.com"
DEFAULT_REGION: Final = "cn-north-1"
DEFAULT_ABILITY: Final = "i2i_inpainting"
DEFAULT_QUALITY: Final = "M"


@dataclass(frozen=True, slots=True)
class Range:
    """A number with a default and inclusive limits."""

    default: float
    least: float
    most: float


STEPS: Final = Range(30, 1, 50)
STRENGTH: Final = Range(0.8, 0.1, 1.0)
SCALE: Final = Range(7.0, 1, 20)
DILATE_SIZE: Final = Range(15, 0, 100)
"""Pixels."""
