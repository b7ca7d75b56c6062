"""The distinct things that stand out in a photo, best first."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bot.imaging.photo import Photo
from bot.segmentation import Found, grabcut
from bot.segmentation.subject import find_subject


def find_things(photo: Photo, models: Path | None = None, maps: Path | None = None, most: int = 6) -> list[Found]:
    """Find the subject, and its pieces where it is several."""
    found = find_subject(photo, models)
    labels, sizes = grabcut.pieces(found.matte >= 128)
    order = [label for label in np.argsort(-sizes) if label and sizes[label] > 0.001 * labels.size]
    pieces = [Found(np.where(labels == label, found.matte, 0).astype(np.uint8)) for label in order]
    return [found, *pieces][:most] if len(pieces) > 1 else [found]
