"""The engines that segment and inpaint: their protocols, and one module or folder for each engine.

An engine gets photos and masks and returns mattes and photos of the same size. It never composites into the person's
photo: the editor pastes its result through the feathered mask, so that outside the mask no pixel changes. Engines know
neither edits nor chats nor settings.
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
            map_file: File in which the local segmenter caches its saliency maps of this photo; others ignore it.

        Raises:
            NothingFoundError: Nothing stands out.
            EngineUnavailableError: This engine cannot answer now; another may.
        """
        ...


class Inpainter(Protocol):
    """Fills holes."""

    async def inpaint(self, photo: Photo, mask: Mask, *, seed: int, keeps_subject: bool = False) -> Photo:
        """Fill the masked pixels with plausible content.

        Args:
            photo: The photo; its pixels under the mask are arbitrary.
            mask: (H, W) uint8, 255 = fill; already dilated by the caller.
            seed: The same seed gives the same picture; another one gives another plausible variant.
            keeps_subject: Whether the photo's subject stays (the mask is hand-painted): the fill must not repeat it.

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
        coarse_masks: Whether its mattes miss some of the subject's edge, so that they need a wider dilation.
        fills_backgrounds: Whether its inpainter can fill everything but the subject. One that copies from the rest of
            the photo cannot; the editor then builds a backdrop from the background's colours.
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
        """Whether only the operator can fix it."""
        return bool(self.facts.get("operator_must_act", False))


class EngineRefusedError(BotError):
    """The engine judged the photo unfit (content safety, copyright): the same photo gets the same answer again."""

    retry_may_help = False
