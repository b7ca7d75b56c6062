"""Formats an estimated waiting time."""

from __future__ import annotations

import math

from bot.texts import Texts

SHOWN_ABOVE = 5.0
"""Seconds; of a shorter wait nothing is said."""

_TOLERANCE = 0.9
"""Times are rounded up, but not for a tenth: 21 s are "about 20 s"."""


def with_waiting_time(texts: Texts, language: str, text: str, seconds: float | None) -> str:
    """A text followed by how long it takes: tens of seconds, then minutes, then five minutes, then "over an hour".

    Args:
        texts: The catalogues.
        language: Language of the text.
        text: The text.
        seconds: Estimated seconds; None, or at most `SHOWN_ABOVE`: the text stays as it is.
    """
    if seconds is None or seconds <= SHOWN_ABOVE:
        return text
    tens, minutes = math.ceil(seconds * _TOLERANCE / 10), math.ceil(seconds * _TOLERANCE / 60)
    if tens < 6:
        about = texts.get(language, "about-seconds", seconds=10 * max(1, tens))
    elif minutes <= 60:
        about = texts.get(language, "about-minutes", minutes=minutes if minutes <= 10 else 5 * math.ceil(minutes / 5))
    else:
        about = texts.get(language, "about-hours")
    return f"{text}{about}" if text.endswith("。") else f"{text} {about}"
