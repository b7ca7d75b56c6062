"""Colours that a person names in a text."""

from __future__ import annotations

import re

from PIL import ImageColor

_CHINESE = {
    "红": "#e53935", "橙": "#fb8c00", "黄": "#fdd835", "绿": "#43a047", "青": "#00acc1", "蓝": "#1e88e5",
    "紫": "#8e24aa", "粉": "#f8bbd0", "粉红": "#f8bbd0", "棕": "#795548", "褐": "#795548", "灰": "#9e9e9e",
    "米": "#f5f0e1", "黑": "#000000", "白": "#ffffff",
}  # fmt: skip
"""By name, without the ending 色; the swatches' own tones where there is a swatch."""

_HEX = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})", re.IGNORECASE)
_WORDS = re.compile(r"[a-z]+( [a-z]+){0,2}")
_LONGEST = 40


def colour_named(text: str) -> str | None:
    """The colour that a text consists of, as ``#rrggbb``; None if it is something else.

    Args:
        text: Such as ``#ff8800``, ``#f80``, ``light blue``, ``orange background``, ``浅蓝`` or ``红色背景``; the names
            are those of CSS (Pillow's `ImageColor`).
    """
    if len(text) > _LONGEST:
        return None
    plain = re.sub(r"\s+", " ", text.strip().lower()).removesuffix(" background").removesuffix("背景")
    number = _HEX.fullmatch(plain)
    if number:
        return _written_out(number[1])
    chinese = re.sub(r"^[浅淡]", "", plain).removesuffix("色") if plain else ""
    if chinese in _CHINESE:
        return _CHINESE[chinese]
    if not _WORDS.fullmatch(plain):
        return None
    name = plain.replace(" ", "")
    if name not in ImageColor.colormap:
        return None
    red, green, blue = ImageColor.getrgb(name)[:3]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _written_out(digits: str) -> str:
    digits = digits.lower()
    return "#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits))
