"""Finds things in a photo on this machine: the main subject, what a person points at, a shadow.

Pure functions of pictures, meant for a worker process. Three doors: `subject` (the main subject), `things` (what else
a person could mean), `hints` (taps, a box, a scribble). The learned way answers where its model file is there; the
classical way (saliency, GrabCut, minimum cut) is the floor below it. Nothing here knows edits or chats.

    learned        one look of the net         passes        the automatic find: three looks
    views          the looks at one photo      surroundings  a closer look: windows, and the find hidden
    maps_file      looks kept between jobs     doubt         whether a find has to be asked about
    pointed        a box, a tap
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.imaging.photo import Matte


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A thing that was found.

    Attributes:
        matte: (H, W) uint8 of the photo's size, soft: 255 = surely the thing, at least 128 = rather the thing.
        sure: Whether it is likely the one that is meant; False: what was seen could as well be something else.
        confidence: How strongly it was seen, 0 … 1; what `sure` is decided by, among other things.
        coarse: Whether it was found by the classical way: its rim is not to be trusted and wants a wider dilation.
    """

    matte: Matte
    sure: bool = True
    confidence: float = 1.0
    coarse: bool = False


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap of a person who points at a thing.

    Attributes:
        x: Pixels from the left edge of the photo.
        y: Pixels from the top edge.
        keep: True: this belongs to the thing; False: this does not.
    """

    x: float
    y: float
    keep: bool = True
