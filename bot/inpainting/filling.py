"""Fills holes: the strategy. What is filled together, from which part of the photo, at what size, and by whom."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from bot.imaging.masks import bounding_box, coverage, dilate
from bot.imaging.photo import Mask, Photo, Pixels
from bot.inpainting import holes
from bot.inpainting.carry import carry_up
from bot.inpainting.learned import learned_fill
from bot.inpainting.plain import smooth_fill
from bot.inpainting.synthesis import Scene, enough_to_copy, synthesise

WORK_SIDE = 640
"""Working larger gains nothing that the photo's own texture does not give, and costs time."""
_LEARNED_FROM = 0.15
"""Share of the photo up to which copying is level with learned models."""
_CONTEXTS = (0.75, 0.6, 0.9)
_SCRATCH_RADIUS = 5
_WHOLE = 65535
"""Sixteen bits tell the least trace of a hole in a mean of areas, at half the memory of floats."""


def fill(photo: Photo, mask: Mask, *, seed: int, exclude: Mask | None = None, models: Path | None = None) -> Photo:
    """Fill what the mask selects with what could stand there.

    Args:
        photo: The photo; its pixels under the mask are not looked at.
        mask: (H, W) uint8, 255 = fill.
        seed: The same seed gives the same picture; another one gives another believable variant.
        exclude: (H, W) uint8, 255 = copy nothing from there: other subjects; overruled where too little else is left
            to copy from. None: only the mask is barred.
        models: Folder of learned models; where one is there it fills large holes. None: none is used.

    Returns:
        The photo, filled; bit for bit the same where the mask is 0.
    """
    if photo.pixels.shape[:2] != mask.shape or (exclude is not None and exclude.shape != mask.shape):
        raise ValueError(f"a mask {mask.shape} for a photo {photo.pixels.shape}")
    pixels = photo.pixels.copy()
    thin, wide = holes.split_scratches(mask)
    learned = models if coverage(wide) > _LEARNED_FROM else None
    for number, hole in enumerate(holes.group(wide, context=_CONTEXTS[seed % len(_CONTEXTS)])):
        crop = pixels[hole.rows, hole.columns]
        # Holes that were filled before this one are no truth to copy from, and those after it are none yet.
        others = mask[hole.rows, hole.columns] & ~hole.mask
        unwanted = None if exclude is None else exclude[hole.rows, hole.columns]
        filled = _fill_crop(crop, hole.mask, others, unwanted, seed=seed + 7919 * number, models=learned)
        pixels[hole.rows, hole.columns] = filled
    if thin.any():
        pixels = _mend(pixels, thin)
    return photo.with_pixels(pixels)


def _mend(pixels: Pixels, thin: Mask) -> Pixels:
    box = bounding_box(dilate(thin, 4 * _SCRATCH_RADIUS))
    assert box is not None
    part = (slice(box[1], box[3]), slice(box[0], box[2]))
    mended = cv2.inpaint(np.ascontiguousarray(pixels[part]), thin[part], _SCRATCH_RADIUS, cv2.INPAINT_NS)
    pixels[part] = np.where(thin[part][..., None] > 0, mended, pixels[part])
    return pixels


def _fill_crop(
    crop: Pixels, hole: Mask, barred: Mask, unwanted: Mask | None, *, seed: int, models: Path | None
) -> Pixels:
    mirrored = seed % 2 == 1
    if mirrored:
        crop, hole, barred = (np.ascontiguousarray(part[:, ::-1]) for part in (crop, hole, barred))
        unwanted = None if unwanted is None else np.ascontiguousarray(unwanted[:, ::-1])
    scale = min(1.0, WORK_SIDE / max(hole.shape))
    size = (max(1, round(hole.shape[1] * scale)), max(1, round(hole.shape[0] * scale)))
    scene = _small(crop, hole, barred if unwanted is None else barred | unwanted, size)
    if unwanted is not None and not enough_to_copy(scene):
        scene = _small(crop, hole, barred, size)
    guess = learned_fill(crop, hole, models) if models is not None else None
    if guess is not None:
        small_guess = cv2.resize(guess, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        if not enough_to_copy(scene):
            filled = np.where(hole[..., None] > 0, guess, crop)
        else:
            filled = carry_up(crop, hole > 0, scene.picture, synthesise(scene, seed=seed, guess=small_guess))
    elif enough_to_copy(scene):
        filled = carry_up(crop, hole > 0, scene.picture, synthesise(scene, seed=seed))
    else:
        filled = smooth_fill(crop, hole, seed=seed)
    return np.ascontiguousarray(filled[:, ::-1]) if mirrored else filled


def _small(crop: Pixels, hole: Mask, barred: Mask, size: tuple[int, int]) -> Scene:
    """The crop at working size; what holds a trace of the hole is hole, what holds one of the barred no source."""
    keep = np.where(hole > 0, np.uint16(0), np.uint16(_WHOLE))
    weight = cv2.resize(keep, size, interpolation=cv2.INTER_AREA).astype(np.float32) / _WHOLE
    clean = np.where(hole[..., None] > 0, np.uint8(0), crop)
    total = cv2.resize(clean, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    small_hole = weight < 0.999
    picture = total / np.maximum(weight, 1e-2)[..., None]
    traces = (cv2.resize(barred, size, interpolation=cv2.INTER_AREA) > 0) | small_hole
    # The mask was widened by whoever made it, so no more of the thing is to be feared beside it; but carrying up may
    # miss by a small pixel.
    return Scene(np.asarray(picture, np.float32), small_hole, ~traces, margin=int(size[0] < hole.shape[1]))
