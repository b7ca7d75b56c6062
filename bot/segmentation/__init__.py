"""Finds objects in a photo on this machine: the main subject, what a person points at, and a shadow.

Pure functions of pixels, meant for a pixel process. They know neither edits nor chats.

    subject        the main subject
    objects        the distinct objects that a person can choose from
    hints          the object under taps, in a box or under a scribble
    shadow         the shadow that a subject casts
    missed_edges   what still belongs to an object just outside its mask
    scaling        from the photo to a small copy and back
    learned/       the method that uses a neural net (U-2-Net); it answers where a model file is present
    classical/     the method without a net (saliency, GrabCut, minimum cut); it answers otherwise

How both methods were measured: docs/local-engine.md#learned-segmentation and
docs/local-engine.md#classical-segmentation.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.imaging.photo import Matte


@dataclass(frozen=True, slots=True, eq=False)
class FoundObject:
    """An object that was found in a photo.

    Attributes:
        matte: (H, W) uint8 of the photo's size, soft: 255 = the object; from 128 on a pixel counts as the object.
        sure: Whether this is likely the object that the person means. False: the bot asks.
        confidence: How strongly the object was seen, 0 … 1. `sure` depends on it, among other things.
        coarse: Whether the classical method found it: its edge is imprecise and needs a wider dilation.
    """

    matte: Matte
    sure: bool = True
    confidence: float = 1.0
    coarse: bool = False


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap on a photo.

    Attributes:
        x: Pixels from the left edge of the photo.
        y: Pixels from the top edge.
        keep: True: this point belongs to the object; False: it does not.
    """

    x: float
    y: float
    keep: bool = True
