"""Learned segmenters: the best model whose file is there gives a soft mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Pixels
from bot.models import sessions
from bot.models.registry import MODELS, SEGMENTERS, Look

Floats: TypeAlias = NDArray[np.float32]
_NOTHING = 0.25
"""A peak below this is a net that saw nothing; rembg would stretch it to a mask all the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a segmenter saw.

    Attributes:
        matte: (H, W) float32, 0 … 1, of the picture's size.
        model: Name of the model.
    """

    matte: Floats
    model: str


def learned_matte(picture: Pixels, folder: Path) -> Seen | None:
    """Ask the best segmenter whose file is in the folder.

    Args:
        picture: (H, W, 3) uint8 RGB; it is resized to the model's square.
        folder: Where the model files are.

    Returns:
        What it saw (all 0 where it saw nothing), or None where no model is there or none works.
    """
    for name in SEGMENTERS:
        look = MODELS[name].look
        if look is None or not (folder / MODELS[name].file).is_file():
            continue
        answers = sessions.run(name, folder, prepare(picture, look))
        if answers is not None:
            return Seen(_finish(answers[0], look, picture.shape[1], picture.shape[0]), name)
    return None


def prepare(picture: Pixels, look: Look) -> Floats:
    """The picture as the model wants it: (1, 3, side, side) float32."""
    square = cv2.resize(picture, (look.side, look.side), interpolation=cv2.INTER_AREA).astype(np.float32)
    peak = float(square.max()) if look.by_peak else 255.0
    scaled = square / max(peak, 1e-6)
    normal = (scaled - np.array(look.mean, np.float32)) / np.array(look.std, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None], np.float32)


def _finish(answer: NDArray[np.float32], look: Look, width: int, height: int) -> Floats:
    plane = np.nan_to_num(np.asarray(answer, np.float32).reshape(look.side, look.side), posinf=0.0, neginf=0.0)
    if look.logits:
        plane = np.asarray(1 / (1 + np.exp(-np.clip(plane, -30, 30))), np.float32)
    low, high = float(plane.min()), float(plane.max())
    if high < _NOTHING or high - low < 1e-6:
        return np.zeros((height, width), np.float32)
    stretched = (plane - low) / (high - low)
    return np.asarray(cv2.resize(stretched, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
