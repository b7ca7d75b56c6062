"""Who segments and who inpaints: the ports, and one folder for each engine.

An engine is handed photos and masks and gives back mattes and photos of the same size. It never composites into the
person's photo: whatever it answers, the editor pastes it through the feathered mask, so that outside the mask the photo
stays the photo. Engines know neither edits nor chats nor settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.errors import BotError
from bot.imaging.photo import Mask, Photo
from bot.segmentation import FoundObject


class Segmenter(Protocol):
    """Finds the main subject."""

    async def segment(self, photo: Photo, *, map_file: Path | None = None) -> FoundObject:
        """Find the photo's main subject.

        Args:
            photo: The photo.
            maps: A file in which a segmenter on this machine keeps what it saw in this photo; others ignore it.

        Raises:
            NothingFoundError: Nothing stands out.
            EngineUnavailableError: This engine cannot answer now; another may.
        """
        ...


class Inpainter(Protocol):
    """Fills holes."""

    async def inpaint(self, photo: Photo, mask: Mask, *, seed: int, keeps_subject: bool = False) -> Photo:
        """Fill what the mask selects with what could stand there.

        Args:
            photo: The photo; its pixels under the mask are not to be trusted.
            mask: (H, W) uint8, 255 = fill; already dilated by the caller.
            seed: The same seed gives the same picture; another one gives another believable variant.
            keeps_subject: Whether the photo's subject stays (a hand painted the mask): the fill must not repeat it.

        Returns:
            A photo of the same size; only its pixels under the mask count.

        Raises:
            EngineUnavailableError: This engine cannot answer now; another may.
        """
        ...


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine as the editor sees it.

    Attributes:
        name: ``volcengine`` or ``local``; appears in logs and captions.
        segmenter: Finds subjects.
        inpainter: Fills holes.
        coarse_masks: Whether its mattes miss some of the subject's rim, so that they want a wider dilation.
        fills_backgrounds: Whether its inpainter can fill everything but the subject. One that copies from the rest of
            the photo cannot: there is no rest; the editor then builds a backdrop from the background's colours.
    """

    name: str
    segmenter: Segmenter
    inpainter: Inpainter
    coarse_masks: bool = False
    fills_backgrounds: bool = True


class EngineUnavailableError(BotError):
    """This engine cannot answer now (overloaded, down, no credentials, retries used up); another engine may.

    Attributes:
        operator_must_act: True when waiting will not help: wrong credentials, a service that is not opened, arrears.
    """

    @property
    def operator_must_act(self) -> bool:
        """Whether only whoever runs the bot can mend it."""
        return bool(self.facts.get("operator_must_act", False))


class EngineRefusedError(BotError):
    """The engine judged the photo unfit (content safety, copyright): the same photo gets the same answer again."""

    retry_may_help = False
