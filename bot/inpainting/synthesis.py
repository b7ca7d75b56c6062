"""Synthesis of a hole at working size from the known pixels around it, with the source of every pixel.

A first guess (PatchMatch's or a learned model's) gives the layout, but it is a mean of many patches and lacks texture.
So each patch of the guess is matched with the most similar known patch, and each pixel is copyable from the best patch
over it; this is repeated from coarse to fine (Wexler, Shechtman, Irani, PAMI 2007). Copies have the right texture but
visible seams, means the reverse: the result has the high band of the copies and the low band of the means.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import patchmatch

from bot.inpainting.layout import compute_layout
from bot.inpainting.lighting import correct_lighting
from bot.inpainting.patches import Field, Flags, Floats, Indices, PatchMatcher, valid_patch_centres

RADIUS = 3
"""Patches are 7 x 7: 3.35 SWD against 3.36 of 11 x 11, in less time (docs/local-engine.md#patch-size)."""
_GUESS_SIDE = 288
"""Measured over 40 photos, SWD / tex: 256 px 2.78 / .28, 288 px 2.74 / .30, 320 px 2.86 / .30; smaller guesses break
straight lines sooner, larger ones cost time."""
_DEPTH_DECAY = 2.0
"""Factor by which a patch counts less per pixel of depth in the hole. Over 20 photos: 1.15 tex .336,
1.3 .327, 1.5 .318; more was better with `_GUESS_TEXTURE` too."""
_GUESS_TEXTURE = 1.2
"""Factor by which sources should have more texture than the guess, which is too smooth. Over 20 photos: 1.0 tex .327,
SWD 2.57; 1.3 .309, 2.57; 1.6 .308, 2.77."""
_LAYOUT_SIDES = (90, 170)
"""Long sides in pixels of the layout's two sizes. Over 34 large holes, SWD / tex: 64 and 128 px 5.21 / .30, 90 and 170
4.46 / .27, 120 and 190 4.59 / .25."""
_MIN_SIDE = 24
_RIM_TOLERANCE = 1.1
"""Factor by which a layout may match the hole's rim worse than the guess. Over 34 large holes SWD is 4.52 with the
guess alone, 4.46 with the layout alone, which breaks a railing or a wave, and 4.35 with this choice."""
_MAX_SMOOTH_DETAIL = 2.0
"""Mean detail in grey levels below which the surroundings are smooth: a sky, a plain wall. There a coarse layout causes
visible colour steps, and none is needed."""
_MIN_PATCHES = 128
_SEAM_SIGMA = 4.0
_SEAM_LIMIT = 24.0
"""A larger difference between copies and means is a misplaced edge; smoothing it causes a halo."""


@dataclass(frozen=True, slots=True)
class FillTask:
    """A picture at working size with the hole to fill.

    Attributes:
        picture: (H, W, 3) float32 RGB 0 … 255; its values in the hole are ignored.
        hole: (H, W) bool, the pixels to fill.
        sources: (H, W) bool, the pixels that may be compared, and copyable unless they are in the margin.
        margin: Width in pixels beside non-sources that is compared but not copyable.
    """

    picture: Floats
    hole: Flags
    sources: Flags
    margin: int = 0

    @property
    def copyable(self) -> Flags:
        """(H, W) bool: the sources without their margin."""
        excluded = (~self.sources).astype(np.uint8)
        return np.asarray(cv2.dilate(excluded, np.ones((2 * self.margin + 1,) * 2, np.uint8)) == 0)


@dataclass(frozen=True, slots=True)
class Synthesis:
    """A filled hole.

    Attributes:
        picture: (H, W, 3) float32; known pixels are unchanged.
        rows: (H, W) the source row of each pixel of the hole; elsewhere the pixel's own row.
        columns: (H, W) the source column, likewise.
    """

    picture: Floats
    rows: Indices
    columns: Indices


def has_enough_sources(task: FillTask) -> bool:
    """Whether there are enough sources for a fill by copying."""
    height, width = task.hole.shape
    whole = int(valid_patch_centres(task.copyable, RADIUS).sum())
    return min(height, width) >= 4 * RADIUS and whole >= max(_MIN_PATCHES, int(task.hole.sum()) // 4)


def shrink(task: FillTask, size: tuple[int, int]) -> FillTask:
    """Scale a task down to (width, height), averaging known pixels only so that the hole does not bleed."""
    weight = cv2.resize((~task.hole).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    known = np.where(task.hole[..., None], np.float32(0), task.picture)
    total = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    sources = cv2.resize(task.sources.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    hole = weight < 0.5
    picture = np.where(hole[..., None], np.float32(0), total / np.maximum(weight, 1e-3)[..., None])
    return FillTask(np.asarray(picture, np.float32), hole, sources & ~hole)


def synthesise(task: FillTask, *, seed: int, guess: Floats | None = None) -> Synthesis:
    """Fill the hole of a task that has enough sources.

    Args:
        task: The picture, the hole and the sources.
        seed: The same seed gives the same picture.
        guess: (H, W, 3) float32, the hole as filled by a learned model. It is kept, and only the sources of its
            texture are searched.

    Returns:
        The filled picture and the sources of its pixels.
    """
    rng = np.random.default_rng(seed % (1 << 63))
    height, width = task.hole.shape
    scale = min(1.0, _GUESS_SIDE / max(height, width))
    small = shrink(task, (max(1, round(width * scale)), max(1, round(height * scale)))) if scale < 1 else task
    if guess is not None or not small.hole.any() or not has_enough_sources(small):
        small = task
    matcher = PatchMatcher(small.picture, small.hole, small.copyable, radius=RADIUS, rng=rng)
    field = matcher.random_field()
    if guess is not None:
        matcher.improve(field, guess, turns=4)
        rows, columns = _best_sources(matcher, field, small.hole)
        return Synthesis(np.where(task.hole[..., None], guess, task.picture), rows, columns)
    field = _initial_field(small, matcher, rng)
    if small is not task:
        finer = PatchMatcher(task.picture, task.hole, task.copyable, radius=RADIUS, rng=rng)
        field, matcher = finer.upscaled_field(field, matcher.shape), finer
    for _ in range(2):
        matcher.improve(field, _copy_pixels(task, *_best_sources(matcher, field, task.hole)), turns=2, reach=8)
    rows, columns = _best_sources(matcher, field, task.hole)
    filled = correct_lighting(_blend_seams(matcher, field, task), task.picture, task.hole, task.sources)
    return Synthesis(filled, rows, columns)


def _initial_field(task: FillTask, matcher: PatchMatcher, rng: np.random.Generator) -> Field:
    """Compute the layout at a very small size; use a guess at this size if that matches the hole's rim better."""
    level = None if _is_smooth(task) else _layout_level(task, _LAYOUT_SIDES[0])
    seeds = [int(seed) for seed in rng.integers(1 << 32, size=2)]
    coarse = None if level is None else _patchmatch(level, seeds[0])
    # PatchMatch releases the GIL, so its large guess runs in parallel with the layout.
    with ThreadPoolExecutor(1) as beside:
        large = beside.submit(_patchmatch, task, seeds[1])
        layout_field = None if level is None or coarse is None else _refined_layout(task, level, coarse, matcher, rng)
        guess = large.result()
    guess_field = matcher.random_field()
    matcher.improve(guess_field, guess, turns=4, texture=_GUESS_TEXTURE)
    matcher.improve(guess_field, _copy_pixels(task, *_best_sources(matcher, guess_field, task.hole)), turns=2, reach=40)
    if layout_field is None:
        return guess_field
    matcher.improve(
        layout_field, _copy_pixels(task, *_best_sources(matcher, layout_field, task.hole)), turns=2, reach=40
    )
    allowed = _RIM_TOLERANCE * _rim_mismatch(guess_field, task.hole)
    return layout_field if _rim_mismatch(layout_field, task.hole) <= allowed else guess_field


def _is_smooth(task: FillTask) -> bool:
    """Whether the sources have almost no detail."""
    detail = np.abs(task.picture - cv2.GaussianBlur(task.picture, (0, 0), 2)).mean(-1)
    inner = cv2.erode(task.sources.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return not inner.any() or float(detail[inner].mean()) < _MAX_SMOOTH_DETAIL


def _rim_mismatch(field: Field, hole: Flags) -> float:
    """Return the mean distance between the mostly known patches and their sources."""
    rim = _depth(hole)[field.rows, field.columns] <= RADIUS
    return float(np.sqrt(field.cost[rim]).mean())


def _layout_level(task: FillTask, side: int) -> FillTask | None:
    """Scale a task to a layout's size; None if it is not larger, or too few sources are left."""
    height, width = task.hole.shape
    scale = max(side / max(height, width), _MIN_SIDE / min(height, width))
    if scale >= 1:
        return None
    level = shrink(task, (round(width * scale), round(height * scale)))
    return level if level.hole.any() and has_enough_sources(level) else None


def _refined_layout(
    task: FillTask, level: FillTask, guess: Floats, finest: PatchMatcher, rng: np.random.Generator
) -> Field:
    """Compute a layout's field and refine it at every larger size."""
    field = compute_layout(level.picture, level.hole, level.copyable, guess, radius=RADIUS)
    shape = level.hole.shape
    for side in _LAYOUT_SIDES[1:]:
        larger = _layout_level(task, side)
        if larger is not None:
            matcher = PatchMatcher(larger.picture, larger.hole, larger.copyable, radius=RADIUS, rng=rng)
            field, shape = _refine_field(field, shape, matcher, larger, turns=3), larger.hole.shape
    return _refine_field(field, shape, finest, task, turns=2)


def _refine_field(field: Field, shape: tuple[int, int], matcher: PatchMatcher, task: FillTask, *, turns: int) -> Field:
    field = matcher.upscaled_field(field, shape)
    for _ in range(turns):
        copies = _copy_pixels(task, *_best_sources(matcher, field, task.hole))
        matcher.improve(field, copies, reach=8, texture=_GUESS_TEXTURE)
    return field


def _patchmatch(task: FillTask, seed: int) -> Floats:
    patchmatch.set_random_seed(seed)
    forbidden = ~task.sources & ~task.hole
    filled = patchmatch.inpaint(
        np.clip(task.picture + 0.5, 0, 255).astype(np.uint8),
        task.hole.astype(np.uint8) * 255,
        global_mask=forbidden.astype(np.uint8) * 255 if forbidden.any() else None,
        patch_size=RADIUS,
    )
    return np.where(task.hole[..., None], filled.astype(np.float32), task.picture)


def _log_weights(field: Field, hole: Flags) -> Floats:
    """Return the log weight of each patch, from its similarity and its depth in the hole."""
    depth = _depth(hole)
    spread = max(float(np.quantile(field.cost, 0.75)), 1.0)
    likeness = -field.cost / (2 * spread)
    return np.asarray(likeness - np.log(_DEPTH_DECAY) * depth[field.rows, field.columns], np.float32)


def _depth(hole: Flags) -> Floats:
    """Return (H, W), each pixel's depth in the hole; the picture's border is not an edge of it."""
    padded = np.pad(hole, 1, mode="edge").astype(np.uint8)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1], np.float32)


def _best_sources(matcher: PatchMatcher, field: Field, wanted: Flags) -> tuple[Indices, Indices]:
    """Return (H, W) source rows and columns of the wanted pixels by the best patch over each; elsewhere its own."""
    scores = _log_weights(field, wanted)
    rows, columns = np.nonzero(wanted)
    best = np.full(len(rows), -np.inf, np.float32)
    source_rows, source_columns = rows.copy(), columns.copy()
    steps = range(-matcher.radius, matcher.radius + 1)
    for down, right in ((down, right) for down in steps for right in steps):
        index = matcher.patch_index(rows - down, columns - right)
        score = np.where(index >= 0, scores[index], -np.inf)
        better = np.flatnonzero(score > best)
        best[better] = score[better]
        source_rows[better] = field.source_rows[index[better]] + down
        source_columns[better] = field.source_columns[index[better]] + right
    all_rows, all_columns = (np.asarray(axis, np.intp) for axis in np.indices(wanted.shape))
    all_rows[wanted], all_columns[wanted] = source_rows, source_columns
    return all_rows, all_columns


def _copy_pixels(task: FillTask, rows: Indices, columns: Indices) -> Floats:
    return task.picture[rows, columns]


def _blend_seams(matcher: PatchMatcher, field: Field, task: FillTask) -> Floats:
    """Shift the copies' low frequencies towards the means in the hole and the known pixels around it."""
    rim = cv2.dilate(task.hole.astype(np.uint8), np.ones((2 * matcher.radius + 1,) * 2, np.uint8)) > 0
    copies = _copy_pixels(task, *_best_sources(matcher, field, rim))
    wanted = np.where(task.hole[..., None], _weighted_mean(matcher, field, task), task.picture)
    excess = np.clip(wanted - copies, -_SEAM_LIMIT, _SEAM_LIMIT) * rim[..., None]
    weight = cv2.GaussianBlur(rim.astype(np.float32), (0, 0), _SEAM_SIGMA)
    step = cv2.GaussianBlur(excess, (0, 0), _SEAM_SIGMA) / np.maximum(weight, 1e-3)[..., None]
    return np.where(task.hole[..., None], copies + step, task.picture)


def _weighted_mean(matcher: PatchMatcher, field: Field, task: FillTask) -> Floats:
    """Fill each pixel of the hole with the weighted mean of the patches over it."""
    weights = np.exp(_log_weights(field, task.hole)) + np.float32(1e-12)
    rows, columns = np.nonzero(task.hole)
    total = np.zeros((len(rows), 4), np.float32)
    steps = range(-matcher.radius, matcher.radius + 1, 2)
    for down, right in ((down, right) for down in steps for right in steps):
        index = matcher.patch_index(rows - down, columns - right)
        there = np.flatnonzero(index >= 0)
        index = index[there]
        weight = weights[index][:, None]
        votes = task.picture[field.source_rows[index] + down, field.source_columns[index] + right]
        total[there, :3] += weight * votes
        total[there, 3:] += weight
    picture = task.picture.copy()
    picture[rows, columns] = total[:, :3] / np.maximum(total[:, 3:], 1e-20)
    return picture
