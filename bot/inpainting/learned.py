"""Learned inpainters: MI-GAN, LaMa."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Mask, Pixels
from bot.models import sessions
from bot.models.registry import FILLERS, MODELS

_SIDE = 512
"""Side in pixels that both networks were trained at."""


def learned_fill(photo: Pixels, mask: Mask, folder: Path) -> Pixels | None:
    """Fill a hole with the best model whose file is in the folder.

    Both networks work at 512 x 512, so pass a crop around the hole, not a whole photo.

    Args:
        photo: (H, W, 3) uint8 RGB, a crop with context around the hole.
        mask: (H, W) uint8, 255 = fill.
        folder: Folder of the model files.

    Returns:
        (H, W, 3) uint8, with the photo's own pixels where the mask is 0; None if no model is present or none works.
    """
    if photo.shape[:2] != mask.shape:
        raise ValueError(f"mask {mask.shape} for a picture {photo.shape}")
    for name in FILLERS:
        if not (folder / MODELS[name].file).is_file():
            continue
        filled = _migan(photo, mask, folder) if name == "migan" else _lama(photo, mask, folder)
        if filled is not None:
            return np.where((mask > 0)[..., None], filled, photo)
    return None


def _migan(photo: Pixels, mask: Mask, folder: Path) -> Pixels | None:
    """Run MI-GAN's pipeline graph, which crops, scales and pastes itself. In its mask 255 means keep."""
    answers = sessions.run("migan", folder, _planes(photo), np.where(mask > 0, 0, 255).astype(np.uint8)[None, None])
    if answers is None or answers[0].shape != (1, 3, *mask.shape):
        return None
    return np.ascontiguousarray(answers[0][0].transpose(1, 2, 0), np.uint8)


def _lama(photo: Pixels, mask: Mask, folder: Path) -> Pixels | None:
    """Run LaMa at its fixed 512 x 512, mask 1 = fill."""
    height, width = mask.shape
    square = cv2.resize(photo, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    hole = cv2.resize(mask, (_SIDE, _SIDE), interpolation=cv2.INTER_NEAREST) > 0
    planes = _planes(np.asarray(square, np.uint8)).astype(np.float32) / np.float32(255)
    answers = sessions.run("lama", folder, planes, hole.astype(np.float32)[None, None])
    if answers is None:
        return None
    filled = np.nan_to_num(np.asarray(answers[0][0], np.float32).transpose(1, 2, 0))
    # Exports differ: some return 0 … 1, this one 0 … 255. No photo's brightest value is 2 of 255.
    scale = 255.0 if float(filled.max()) <= 2.0 else 1.0
    small = np.clip(filled * scale + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _planes(picture: Pixels) -> NDArray[np.uint8]:
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None])
