"""What stands behind the subject once the background is gone."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging import generated_backdrop
from bot.imaging.photo import Matte, Photo, Pixels

BLUR_SIDE = 1024
"""Long side in pixels that the blurred background is drawn at."""

BLUR_RADIUS = 0.016
"""Radius of the circle of confusion as a share of the long side: a portrait lens wide open."""

GAMMA = 2.2
"""Between the picture's numbers and light."""

_STRIP = 256
"""Rows at a time: the arithmetic's copies stay small however large the photo is."""


def clean_backdrop(photo: Photo, subject: Matte, *, seed: int) -> Photo:
    """A calm studio backdrop from the background's own colours, with the subject's contact shadow on it.

    When everything but the subject goes there is nothing left to copy from (facts E7): this is a replacement that
    looks meant, not an inpainting.

    Args:
        photo: The photo.
        subject: (H, W) uint8 matte of what will stand before it.
        seed: Picks the variant; the same seed gives the same pixels.
    """
    field = generated_backdrop.draw(photo.pixels, subject, seed=seed)
    return photo.with_pixels(_dithered(field, photo, np.random.default_rng([seed, 1])))


def _dithered(field: NDArray[np.float32], photo: Photo, random: np.random.Generator) -> Pixels:
    """A field of 0 … 1 at the photo's size as bytes, with triangular dither of ±1 step: else gentle slopes show bands.

    All strips share one strip of noise: of a single step its repetition cannot be seen, and noise for every pixel of a
    large photo took longer than the rest.
    """
    shape = (min(_STRIP, photo.height), photo.width, 3)
    noise = random.random(shape, np.float32) + random.random(shape, np.float32) - np.float32(0.5)
    pixels = np.empty_like(photo.pixels)
    for rows, part in _scaled_up(field, photo.width, photo.height):
        steps = part * np.float32(255) + noise[: len(part)]
        pixels[rows] = np.clip(steps, 0, 255, out=steps).astype(np.uint8)  # not negative: this rounds down
    return pixels


def _scaled_up(field: NDArray[np.float32], width: int, height: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """A smooth field at another size, strip by strip: rows of the result and their values."""
    across, down = field.shape[1] / width, field.shape[0] / height
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for top in range(0, height, _STRIP):
        rows = slice(top, min(height, top + _STRIP))
        place = np.array([[across, 0, 0.5 * across - 0.5], [0, down, (top + 0.5) * down - 0.5]])
        size = (width, rows.stop - top)
        yield rows, np.asarray(cv2.warpAffine(field, place, size, None, flags, cv2.BORDER_REPLICATE), np.float32)


def blurred(photo: Photo, subject: Matte) -> Photo:
    """The background out of focus as by an open lens, without the subject's colours in it.

    Circles of confusion are discs, and light adds before the picture's gamma: bright points grow into bright discs.
    The subject is left out of every disc, and what it hides is filled from around it, so that no glow of it remains.

    Args:
        photo: The photo.
        subject: (H, W) uint8 matte of what stays sharp before it.

    Returns:
        The photo's size; drawn at BLUR_SIDE pixels, as a disc of so many leaves no finer detail.
    """
    height, width = subject.shape
    scale = min(1.0, BLUR_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    hidden = cv2.dilate(cv2.resize(subject, size, interpolation=cv2.INTER_AREA), np.ones((5, 5), np.uint8))
    seen = 1 - np.asarray(hidden, np.float32) / np.float32(255)
    light = _without_hidden(small**GAMMA, seen)
    radius = max(1, round(BLUR_RADIUS * max(size)))
    disc = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2), np.float32)
    # A hard step at the disc's rim would show as ringing in what it draws.
    soft = cv2.GaussianBlur(disc, (0, 0), max(0.5, radius / 8))
    lens = cv2.filter2D(light, -1, soft / soft.sum(), borderType=cv2.BORDER_REFLECT_101)
    field = np.clip(lens, 0, 1) ** (1 / GAMMA)
    return photo.with_pixels(_dithered(field.astype(np.float32), photo, np.random.default_rng(0)))


def _without_hidden(light: NDArray[np.float32], seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill what is not seen from around it, smoothly: means of the seen at ever wider reach (push–pull)."""
    if min(seen.shape) <= 2:
        return light
    total = cv2.resize(seen, ((seen.shape[1] + 1) // 2, (seen.shape[0] + 1) // 2), interpolation=cv2.INTER_AREA)
    summed = cv2.resize(light * seen[..., None], total.shape[::-1], interpolation=cv2.INTER_AREA)
    coarse = summed / np.maximum(total, 1e-4)[..., None]
    filled = _without_hidden(coarse.astype(np.float32), np.minimum(1, total * 2).astype(np.float32))
    wide = cv2.resize(filled, seen.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(light * seen[..., None] + wide * (1 - seen[..., None]), np.float32)


def from_picture(photo: Photo, picture: Photo) -> Photo:
    """Another picture, scaled and cropped to fill the photo's size."""
    scale = max(photo.width / picture.width, photo.height / picture.height)
    size = (max(photo.width, round(picture.width * scale)), max(photo.height, round(picture.height * scale)))
    scaled = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (size[0] - photo.width) // 2, (size[1] - photo.height) // 2
    return photo.with_pixels(np.ascontiguousarray(scaled[top : top + photo.height, left : left + photo.width]))
