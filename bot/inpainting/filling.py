"""The inpainting strategy: grouping of holes, crop, working size, and choice of method."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from bot.imaging.masks import bounding_box, coverage, dilate
from bot.imaging.photo import Mask, Photo, Pixels
from bot.inpainting import holes
from bot.inpainting.detail_transfer import transfer_detail
from bot.inpainting.learned import learned_fill
from bot.inpainting.smooth import smooth_fill
from bot.inpainting.synthesis import FillTask, has_enough_sources, synthesise

WORK_SIDE = 640
"""Long side in pixels at which a crop is filled. Larger is slower without gain."""
_MIN_LEARNED_COVERAGE = 0.15
"""Share of the photo up to which copying is as good as learned models."""
_CONTEXT_SIZES = (0.75, 0.6, 0.9)
"""How much of the photo around a hole is looked at, as `holes.group_holes` takes it; the seed chooses one."""
_SEED_STEP = 7919
"""Difference between the seeds of two holes of a photo: a prime, so that holes of neighbouring seeds differ."""
_SCRATCH_RADIUS = 5
_FULL_WEIGHT = 65535
"""16 bits show even a small part of a hole in an area mean, at half the memory of floats."""


def fill(photo: Photo, mask: Mask, *, seed: int, exclude: Mask | None = None, models: Path | None = None) -> Photo:
    """Fill the masked area with plausible content.

    Args:
        photo: The photo; its pixels under the mask are ignored.
        mask: (H, W) uint8, 255 = fill.
        seed: The same seed gives the same picture; another seed gives another variant.
        exclude: (H, W) uint8, 255 = copy nothing from there; ignored where too few other sources are left.
            None: only the mask is excluded.
        models: Folder of learned models, which fill large holes if present. None: use none.

    Returns:
        The filled photo; bit for bit the same where the mask is 0.

    Raises:
        ValueError: The sizes differ.
    """
    if photo.pixels.shape[:2] != mask.shape or (exclude is not None and exclude.shape != mask.shape):
        raise ValueError(f"a mask {mask.shape} for a photo {photo.pixels.shape}")
    pixels = photo.pixels.copy()
    thin, wide = holes.split_scratches(mask)
    learned = models if coverage(wide) > _MIN_LEARNED_COVERAGE else None
    for number, hole in enumerate(holes.group_holes(wide, context=_CONTEXT_SIZES[seed % len(_CONTEXT_SIZES)])):
        crop = pixels[hole.rows, hole.columns]
        # Other holes, filled or not, are no sources.
        others = mask[hole.rows, hole.columns] & ~hole.mask
        excluded = None if exclude is None else exclude[hole.rows, hole.columns]
        filled = _fill_crop(crop, hole.mask, others, excluded, seed=seed + _SEED_STEP * number, models=learned)
        pixels[hole.rows, hole.columns] = filled
    if thin.any():
        pixels = _fill_scratches(pixels, thin)
    return photo.with_pixels(pixels)


def _fill_scratches(pixels: Pixels, thin: Mask) -> Pixels:
    box = bounding_box(dilate(thin, 4 * _SCRATCH_RADIUS))
    assert box is not None
    part = (slice(box[1], box[3]), slice(box[0], box[2]))
    filled = cv2.inpaint(np.ascontiguousarray(pixels[part]), thin[part], _SCRATCH_RADIUS, cv2.INPAINT_NS)
    pixels[part] = np.where(thin[part][..., None] > 0, filled, pixels[part])
    return pixels


def _fill_crop(
    crop: Pixels, hole: Mask, others: Mask, excluded: Mask | None, *, seed: int, models: Path | None
) -> Pixels:
    mirrored = seed % 2 == 1
    if mirrored:
        crop, hole, others = (np.ascontiguousarray(part[:, ::-1]) for part in (crop, hole, others))
        excluded = None if excluded is None else np.ascontiguousarray(excluded[:, ::-1])
    scale = min(1.0, WORK_SIDE / max(hole.shape))
    size = (max(1, round(hole.shape[1] * scale)), max(1, round(hole.shape[0] * scale)))
    task = _to_working_size(crop, hole, others if excluded is None else others | excluded, size)
    if excluded is not None and not has_enough_sources(task):
        task = _to_working_size(crop, hole, others, size)
    guess = learned_fill(crop, hole, models) if models is not None else None
    if guess is not None:
        small_guess = cv2.resize(guess, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        if not has_enough_sources(task):
            filled = np.where(hole[..., None] > 0, guess, crop)
        else:
            filled = transfer_detail(crop, hole > 0, task.picture, synthesise(task, seed=seed, guess=small_guess))
    elif has_enough_sources(task):
        filled = transfer_detail(crop, hole > 0, task.picture, synthesise(task, seed=seed))
    else:
        filled = smooth_fill(crop, hole, seed=seed)
    return np.ascontiguousarray(filled[:, ::-1]) if mirrored else filled


def _to_working_size(crop: Pixels, hole: Mask, others: Mask, size: tuple[int, int]) -> FillTask:
    """Scale the crop to working size.

    A small pixel that contains any of the hole belongs to the hole. One that contains any of `others` is not copied
    from.
    """
    keep = np.where(hole > 0, np.uint16(0), np.uint16(_FULL_WEIGHT))
    weight = cv2.resize(keep, size, interpolation=cv2.INTER_AREA).astype(np.float32) / _FULL_WEIGHT
    clean = np.where(hole[..., None] > 0, np.uint8(0), crop)
    total = cv2.resize(clean, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    small_hole = weight < 0.999
    picture = total / np.maximum(weight, 1e-2)[..., None]
    traces = (cv2.resize(others, size, interpolation=cv2.INTER_AREA) > 0) | small_hole
    # The mask is already widened, so nothing of the object is left beside it; but detail transfer may be off by one
    # small pixel.
    return FillTask(np.asarray(picture, np.float32), small_hole, ~traces, margin=int(size[0] < hole.shape[1]))
