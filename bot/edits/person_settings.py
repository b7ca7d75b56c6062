"""What a person has chosen for all their photos with /settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.edits.finishes import DEFAULT_FINISH
from bot.edits.model import Operation


class Delivery(StrEnum):
    """How a result is sent."""

    AS_SENT = "as_sent"
    """A photo is answered with a photo, and a file with a file."""
    FILE = "file"
    """Always as a file, which Telegram does not compress."""
    PHOTO = "photo"
    """As a photo, unless Telegram would refuse it or lose its transparency."""


@dataclass(frozen=True, slots=True)
class PersonSettings:
    """The settings of a person, or of a chat in whose name is asked.

    Attributes:
        language: Language code of the texts; None: the one that Telegram tells.
        finish: What replaces the background if the request names nothing; one of `FINISHES`.
        delivery: How results are sent.
        bare_photos: What is done at once with a photo that comes without a command in the private chat; None: ask.
        keeps_history: Whether edits are kept for RETENTION_HOURS. If not, they are deleted soon after they end; see
            `bot.edits.history`.
    """

    language: str | None = None
    finish: str = DEFAULT_FINISH
    delivery: Delivery = Delivery.AS_SENT
    bare_photos: Operation | None = None
    keeps_history: bool = True


NOTHING_CHOSEN = PersonSettings()
