"""What the editor is asked to do with one photo, and how it asks back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.edits.model import DOUBTFUL, Operation
from bot.errors import PersonError
from bot.imaging.photo import PictureFormat


class DoubtfulFindError(PersonError):
    """The find may not be what the person means: the bot asks before it changes anything.

    Attributes:
        matte: PNG of what was found. It is shown with the question, and used if the person says yes.
    """

    def __init__(self, matte: bytes = b"") -> None:
        super().__init__(DOUBTFUL)
        self.matte = matte

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.matte,)


@dataclass(frozen=True, slots=True)
class Job:
    """One change of one photo.

    Attributes:
        operation: What to do.
        finish: What replaces the background.
        seed: Variants differ in it.
        mask: PNG of what to erase (with ``remove_background``: of the subject), or of a matte of the subject; None: it
            is found.
        mask_is_matte: Whether `mask` is a matte of the subject.
        format: Format of the result; None: the photo's own (PNG if the result is transparent).
        accept_doubtful: Whether to use a doubtful find without asking.
        shadow: Whether to erase the subject's shadow too.
        own_background: A picture to put behind the subject, instead of `finish`.
        maps: A file in which the segmenter keeps its maps of this photo for the next time; None: it keeps none.
        keep_mask: Whether to return a found mask as it was used, filled and dilated, instead of the matte that it was
            made from. The same mask given again erases the same.
    """

    operation: Operation
    finish: str = "clean"
    seed: int = 0
    mask: bytes | None = None
    mask_is_matte: bool = False
    format: PictureFormat | None = None
    accept_doubtful: bool = False
    shadow: bool = True
    own_background: Path | None = None
    maps: Path | None = None
    keep_mask: bool = False
