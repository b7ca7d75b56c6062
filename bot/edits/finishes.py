"""What comes behind the subject of a cut-out, by name or as a colour."""

from __future__ import annotations

import re

from bot.errors import PersonError

FINISHES = ("clean", "transparent", "white", "black", "blur", "gradient", "crop", "sticker", "mask")
"""The finishes with a name, in the order of their buttons. A colour, ``#rrggbb``, is a finish too."""

BLURS = ("blur-less", "blur", "blur-more")
"""The finishes that blur the background, from little to much; all of them are finishes, the middle one has a button."""

OWN_PICTURE = "picture"
"""The finish that puts a picture of the person behind the subject; see `Edit.background`."""

WITH_ALPHA = frozenset({"transparent", "crop", "sticker"})
"""The finishes whose picture is transparent where the background was."""

OF_ANOTHER_SIZE = frozenset({"crop", "sticker"})
"""The finishes whose picture does not have the photo's size."""

DEFAULT_FINISH = "clean"
"""The finish of a request that names none, unless the person's settings do."""


def is_finish(text: str) -> bool:
    """Whether a text is one of `FINISHES` or `BLURS`, or ``#rrggbb``."""
    return text in FINISHES or text in BLURS or re.fullmatch(r"#[0-9a-fA-F]{6}", text) is not None


def check_finish(finish: str) -> str:
    """Return the finish if `is_finish` says so.

    Raises:
        PersonError: ``unknown-finish``.
    """
    if is_finish(finish):
        return finish
    raise PersonError("unknown-finish", finish=finish[:40])
