"""A fixture: real photos with their true subjects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from bot.imaging.photo import Mask, Photo

PROJECT = Path(__file__).parents[3]
OPEN_PHOTOS = PROJECT.parent / "shared" / "photos" / "open"

OpenPhoto = Callable[[str], tuple[Photo, Mask]]


@pytest.fixture
def open_photo() -> OpenPhoto:
    """Reads a photo of the open set and its true subject; skipped where the set is not there."""

    def read(name: str) -> tuple[Photo, Mask]:
        picture = cv2.imread(str(OPEN_PHOTOS / "images" / f"{name}.jpg"))
        truth = cv2.imread(str(OPEN_PHOTOS / "subject" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        if picture is None or truth is None:
            pytest.skip("the open photos are not there")
        return Photo(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)), np.where(truth > 127, 255, 0).astype(np.uint8)

    return read
