"""Packs of further edits, for Telegram Stars (STARS_PACKS)."""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.operator_text import OperatorText

MAX_PACKS, MAX_EDITS, MAX_STARS = 5, 10_000, 10_000
"""Packs that fit under a message, and the most edits and Stars of one."""


class Pack(NamedTuple):
    """A pack of edits.

    Attributes:
        edits: How many edits it gives.
        stars: What it costs.
    """

    edits: int
    stars: int


def read_packs(text: str) -> tuple[Pack, ...]:
    """Read packs such as ``10:25,50:100``: 10 edits for 25 Stars, 50 edits for 100 Stars.

    Raises:
        ValueError: The text is none, or a number is out of bounds.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    found = [re.fullmatch(r"([0-9]{1,6}):([0-9]{1,6})", part) for part in parts]
    if not all(found):
        raise ValueError(OperatorText("must be comma-separated packs, each edits:Stars"))
    packs = tuple(Pack(int(match[1]), int(match[2])) for match in found if match)
    if len(packs) > MAX_PACKS:
        raise ValueError(OperatorText("must be at most {most} packs", most=MAX_PACKS))
    if not all(1 <= pack.edits <= MAX_EDITS and 1 <= pack.stars <= MAX_STARS for pack in packs):
        raise ValueError(OperatorText("edits must be 1–{edits} and Stars 1–{stars}", edits=MAX_EDITS, stars=MAX_STARS))
    if len(set(packs)) < len(packs):
        raise ValueError(OperatorText("must not name a pack twice"))
    return packs
