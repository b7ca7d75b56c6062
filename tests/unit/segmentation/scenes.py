"""Synthetic photos whose subject is known."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Mask, Photo

RED, GREEN = (190, 50, 40), (40, 120, 60)


def ground(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Sand that gets darker downwards, with grain."""
    slope = np.linspace(205, 165, height, dtype=np.float32)[:, None, None] * np.array([1.0, 0.92, 0.75], np.float32)
    grain = np.random.default_rng(seed).normal(0, 5, (height, width, 1))
    return np.clip(slope + grain, 0, 255)


def discs(width: int, height: int, *objects: tuple[float, float, float, tuple[int, int, int]]) -> tuple[Photo, Mask]:
    """Discs on sand, each (x, y, radius, colour) in shares of width, height and the shorter side; the first's mask."""
    pixels = ground(width, height)
    grain = np.random.default_rng(1).normal(0, 6, (height, width, 1))
    masks = []
    for x, y, radius, colour in objects:
        mask = np.zeros((height, width), np.uint8)
        centre = round(x * width), round(y * height)
        cv2.circle(mask, centre, max(1, round(radius * min(width, height))), 255, -1, cv2.LINE_AA)
        cover = mask[..., None] / 255
        pixels = pixels * (1 - cover) + np.clip(np.array(colour) + grain, 0, 255) * cover
        masks.append(np.where(mask > 127, 255, 0).astype(np.uint8))
    return Photo(pixels.astype(np.uint8)), masks[0]


def overlap(found: np.ndarray, truth: Mask) -> float:
    """Intersection over union of what is more in than out."""
    one, other = found > 127, truth > 127
    return float((one & other).sum() / max(1, (one | other).sum()))
