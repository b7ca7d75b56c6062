"""Backdrops: new backgrounds that a subject is placed on."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging import generated_backdrop
from bot.imaging.photo import Matte, Photo, Pixels

BLUR_SIDE = 1024
"""Long side in pixels at which the blurred background is computed."""

BLUR_RADIUS = 0.016
"""Radius of the circle of confusion as a share of the long side, as in a portrait taken with an open lens."""

GAMMA = 2.2
"""Exponent between pixel values and linear light."""

_GRADIENT = (0.93, 0.60)
"""Grey in the middle and in the corners of the gradient, 0 … 1."""

_STRIP_ROWS = 256
"""Rows processed at a time, to bound memory."""


def clean_backdrop(photo: Photo, subject: Matte, *, seed: int) -> Photo:
    """Draw a studio backdrop in the background's own colours, with the subject's contact shadow on it.

    With the whole background removed an inpainter has nothing to copy from (docs/local-engine.md#backgrounds), so the
    background is replaced.

    Args:
        photo: The photo.
        subject: (H, W) uint8 matte of the subject.
        seed: Picks the variant; the same seed gives the same pixels.
    """
    field = generated_backdrop.draw_backdrop(photo.pixels, subject, seed=seed)
    return photo.with_pixels(_to_dithered_bytes(field, photo, np.random.default_rng([seed, 1])))


def _to_dithered_bytes(field: NDArray[np.float32], photo: Photo, random: np.random.Generator) -> Pixels:
    """Scale a field of 0 … 1 to the photo's size, as bytes with triangular dither of ±1 step against banding.

    All strips share one strip of noise: at one step its repetition is invisible, and noise for every pixel of a large
    photo takes longer than the rest.
    """
    shape = (min(_STRIP_ROWS, photo.height), photo.width, 3)
    noise = random.random(shape, np.float32) + random.random(shape, np.float32) - np.float32(0.5)
    pixels = np.empty_like(photo.pixels)
    for rows, part in _scaled_strips(field, photo.width, photo.height):
        steps = part * np.float32(255) + noise[: len(part)]
        pixels[rows] = np.clip(steps, 0, 255, out=steps).astype(np.uint8)  # not negative: this rounds down
    return pixels


def _scaled_strips(field: NDArray[np.float32], width: int, height: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Scale a smooth field strip by strip; yields rows of the result and their values."""
    across, down = field.shape[1] / width, field.shape[0] / height
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for top in range(0, height, _STRIP_ROWS):
        rows = slice(top, min(height, top + _STRIP_ROWS))
        transform = np.array([[across, 0, 0.5 * across - 0.5], [0, down, (top + 0.5) * down - 0.5]])
        size = (width, rows.stop - top)
        yield rows, np.asarray(cv2.warpAffine(field, transform, size, None, flags, cv2.BORDER_REPLICATE), np.float32)


def gradient_backdrop(photo: Photo) -> Photo:
    """A light grey backdrop that darkens towards its corners, as a lamp behind the subject lights a studio's wall."""
    side = 64
    down, across = np.mgrid[0:side, 0:side].astype(np.float32) / np.float32(side - 1)
    distance = np.hypot(across - np.float32(0.5), down - np.float32(0.45)) / np.float32(0.74)
    fall = np.clip(distance, 0, 1) ** 2 * (3 - 2 * np.clip(distance, 0, 1))
    grey = _GRADIENT[0] + (_GRADIENT[1] - _GRADIENT[0]) * fall
    field = np.repeat(grey[:, :, None], 3, axis=2).astype(np.float32)
    return photo.with_pixels(_to_dithered_bytes(field, photo, np.random.default_rng(0)))


def blurred_backdrop(photo: Photo, subject: Matte, *, strength: float = 1.0) -> Photo:
    """Blur the background as an open lens does, without the subject's colours in it.

    The blur is a disc applied in linear light, so bright points become bright discs. The area behind the subject is
    first filled from around it, so the subject leaves no glow.

    Args:
        photo: The photo.
        subject: (H, W) uint8 matte of the subject, which stays sharp.
        strength: The blur's radius, as a multiple of `BLUR_RADIUS`.

    Returns:
        A photo of the same size, computed at BLUR_SIDE pixels: the blur leaves no finer detail.
    """
    height, width = subject.shape
    scale = min(1.0, BLUR_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    covered = cv2.dilate(cv2.resize(subject, size, interpolation=cv2.INTER_AREA), np.ones((5, 5), np.uint8))
    visible = 1 - np.asarray(covered, np.float32) / np.float32(255)
    light = _fill_covered(small**GAMMA, visible)
    radius = max(1, round(strength * BLUR_RADIUS * max(size)))
    disc = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2), np.float32)
    # A hard step at the disc's rim would cause ringing.
    soft = cv2.GaussianBlur(disc, (0, 0), max(0.5, radius / 8))
    defocused = cv2.filter2D(light, -1, soft / soft.sum(), borderType=cv2.BORDER_REFLECT_101)
    field = np.clip(defocused, 0, 1) ** (1 / GAMMA)
    return photo.with_pixels(_to_dithered_bytes(field.astype(np.float32), photo, np.random.default_rng(0)))


def _fill_covered(light: NDArray[np.float32], visible: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill the covered pixels smoothly from the visible ones around them (push–pull)."""
    if min(visible.shape) <= 2:
        return light
    total = cv2.resize(
        visible, ((visible.shape[1] + 1) // 2, (visible.shape[0] + 1) // 2), interpolation=cv2.INTER_AREA
    )
    summed = cv2.resize(light * visible[..., None], total.shape[::-1], interpolation=cv2.INTER_AREA)
    coarse = summed / np.maximum(total, 1e-4)[..., None]
    filled = _fill_covered(coarse.astype(np.float32), np.minimum(1, total * 2).astype(np.float32))
    upscaled = cv2.resize(filled, visible.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(light * visible[..., None] + upscaled * (1 - visible[..., None]), np.float32)


def picture_backdrop(photo: Photo, picture: Photo) -> Photo:
    """Scale and crop another picture to cover the photo's size."""
    scale = max(photo.width / picture.width, photo.height / picture.height)
    size = (max(photo.width, round(picture.width * scale)), max(photo.height, round(picture.height * scale)))
    scaled = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (size[0] - photo.width) // 2, (size[1] - photo.height) // 2
    return photo.with_pixels(np.ascontiguousarray(scaled[top : top + photo.height, left : left + photo.width]))
