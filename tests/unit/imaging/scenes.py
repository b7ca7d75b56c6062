"""Painted scenes whose true matte is known."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Matte, Photo, Pixels


def soft_disc(height: int = 120, width: int = 160, *, softness: float = 2.0) -> Matte:
    """(H, W) matte of a disc in the middle whose edge fades over about 4 · softness pixels."""
    y, x = np.mgrid[:height, :width]
    away = np.hypot(y - height / 2, x - width / 2) - 0.28 * height
    return np.clip(255 / (1 + np.exp(away / softness)) + 0.5, 0, 255).astype(np.uint8)


def hairs(height: int = 240, width: int = 320) -> Matte:
    """(H, W) matte of a disc with thin hairs around it."""
    large = np.zeros((height * 4, width * 4), np.uint8)
    middle = (width * 2, height * 2)
    cv2.circle(large, middle, height, 255, -1)
    for angle in np.linspace(0, 2 * np.pi, 90, endpoint=False):
        end = (int(middle[0] + np.cos(angle) * height * 1.07), int(middle[1] + np.sin(angle) * height * 1.07))
        cv2.line(large, middle, end, 255, 4)
    return np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def textured(height: int, width: int, colour: tuple[int, int, int], seed: int) -> NDArray[np.float32]:
    """(H, W, 3) float32 of one colour with soft spots."""
    random = np.random.default_rng(seed)
    spots = cv2.GaussianBlur(random.standard_normal((height, width, 3)).astype(np.float32), (0, 0), 6) * 60
    return np.asarray(np.clip(spots + np.array(colour, np.float32), 0, 255), np.float32)


def mixed(matte: Matte, front: NDArray[np.float32], back: NDArray[np.float32]) -> Photo:
    """What a camera sees of the two through the matte."""
    alpha = matte[..., None].astype(np.float32) / 255
    pixels: Pixels = (alpha * front + (1 - alpha) * back + 0.5).astype(np.uint8)
    return Photo(pixels)


def green_on_blue(matte: Matte) -> tuple[Photo, Pixels]:
    """A yellow-green subject before a blue background, and the subject's true colours."""
    front = textured(*matte.shape, (190, 200, 60), 1)
    back = textured(*matte.shape, (40, 70, 200), 2)
    return mixed(matte, front, back), front.astype(np.uint8)


def hard(matte: Matte) -> Matte:
    """The matte as a segmenter without soft edges gives it."""
    return np.where(matte >= 128, 255, 0).astype(np.uint8)


def error(first: Matte, second: Matte, where: NDArray[np.bool_]) -> float:
    """Mean absolute difference, 0 … 1."""
    return float(np.abs(first.astype(np.float32) - second)[where].mean() / 255)
