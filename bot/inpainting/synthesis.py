"""Fills a hole at working size from what is known around it, and says where every pixel was taken from.

A small guess first says what stands where (PatchMatch's, or a learned model's). Its weakness is texture: it is a
mean of many patches. So every patch of the guess looks for the known patch most like it, and every pixel is copied
from the one patch that knows best; then the same again, from coarse to fine (Wexler, Shechtman, Irani, PAMI 2007).
Copies have the right texture and visible seams, means the reverse: the answer has the copies' high band and the means'
low band.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import patchmatch

from bot.inpainting.layout import lay_out
from bot.inpainting.light import even_light
from bot.inpainting.patches import Field, Flags, Floats, Indices, Matcher, whole_patches

RADIUS = 3
"""Patches are 7 x 7: 3.35 SWD against 3.36 of 11 x 11, in less time."""
_GUESS_SIDE = 288
"""Measured over 40 photos, SWD / tex: 256 px 2.78 / .28, 288 px 2.74 / .30, 320 px 2.86 / .30; smaller guesses break
straight lines sooner, larger ones cost time."""
_DECAY = 2.0
"""How much less a patch counts for every pixel that it lies deeper in the hole. Over 20 photos: 1.15 tex .336,
1.3 .327, 1.5 .318; more was better with `_GUESS_TEXTURE` too."""
_GUESS_TEXTURE = 1.2
"""How much more texture is looked for than the guess has, a mean being too smooth. Over 20 photos: 1.0 tex .327,
SWD 2.57; 1.3 .309, 2.57; 1.6 .308, 2.77."""
_LAYOUT_SIDES = (90, 170)
"""Long sides in pixels of the layout's two sizes. Over 34 large holes, SWD / tex: 64 and 128 px 5.21 / .30, 90 and 170
4.46 / .27, 120 and 190 4.59 / .25."""
_LEAST_SIDE = 24
_RIM_TOLERANCE = 1.1
"""How much worse a layout may meet the hole's rim than the guess does. Over 34 large holes SWD is 4.52 with the guess
alone, 4.46 with the layout alone, which tears a railing or a wave, and 4.35 with this choice."""
_SMOOTH = 2.0
"""Mean detail in grey levels below which the surroundings are smooth: a sky, a plain wall. There a layout in a few
steps of colour shows, and nothing has to be laid out."""
_LEAST_PATCHES = 128
_SEAM_SIGMA = 4.0
_SEAM_LIMIT = 24.0
"""A greater difference between copies and means is a misplaced edge: smoothing that would give a halo."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture at working size.

    Attributes:
        picture: (H, W, 3) float32 RGB 0 … 255; what stands in the hole does not matter.
        hole: (H, W) bool, what is to be filled.
        sources: (H, W) bool, what may be copied.
        margin: Pixels beside what is no source that are not copied either, though they are looked at.
    """

    picture: Floats
    hole: Flags
    sources: Flags
    margin: int = 0

    @property
    def copied(self) -> Flags:
        """(H, W) bool: the sources less their margin."""
        barred = (~self.sources).astype(np.uint8)
        return np.asarray(cv2.dilate(barred, np.ones((2 * self.margin + 1,) * 2, np.uint8)) == 0)


@dataclass(frozen=True, slots=True)
class Synthesis:
    """A hole that was filled.

    Attributes:
        picture: (H, W, 3) float32; known pixels are unchanged.
        rows: (H, W) the source row of every pixel of the hole; elsewhere the pixel's own.
        columns: (H, W) the source column, likewise.
    """

    picture: Floats
    rows: Indices
    columns: Indices


def enough_to_copy(scene: Scene) -> bool:
    """Whether there is so much to copy from that a fill can look like it."""
    height, width = scene.hole.shape
    whole = int(whole_patches(scene.copied, RADIUS).sum())
    return min(height, width) >= 4 * RADIUS and whole >= max(_LEAST_PATCHES, int(scene.hole.sum()) // 4)


def shrink(scene: Scene, size: tuple[int, int]) -> Scene:
    """The scene at a smaller size (width, height): means of known pixels only, lest something bleed out of the hole."""
    weight = cv2.resize((~scene.hole).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    known = np.where(scene.hole[..., None], np.float32(0), scene.picture)
    total = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    sources = cv2.resize(scene.sources.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    hole = weight < 0.5
    picture = np.where(hole[..., None], np.float32(0), total / np.maximum(weight, 1e-3)[..., None])
    return Scene(np.asarray(picture, np.float32), hole, sources & ~hole)


def synthesise(scene: Scene, *, seed: int, guess: Floats | None = None) -> Synthesis:
    """Fill the hole of a scene that has enough to copy.

    Args:
        scene: What to fill, and from what.
        seed: The same seed gives the same picture.
        guess: (H, W, 3) float32, the hole as somebody who knows the world filled it. Then it is kept, and only says
            where its texture can be had.

    Returns:
        The filled picture, and where its pixels came from.
    """
    rng = np.random.default_rng(seed % (1 << 63))
    height, width = scene.hole.shape
    scale = min(1.0, _GUESS_SIDE / max(height, width))
    small = shrink(scene, (max(1, round(width * scale)), max(1, round(height * scale)))) if scale < 1 else scene
    if guess is not None or not small.hole.any() or not enough_to_copy(small):
        small = scene
    matcher = Matcher(small.picture, small.hole, small.copied, radius=RADIUS, rng=rng)
    field = matcher.start()
    if guess is not None:
        matcher.improve(field, guess, turns=4)
        rows, columns = _best(matcher, field, small.hole)
        return Synthesis(np.where(scene.hole[..., None], guess, scene.picture), rows, columns)
    field = _start(small, matcher, rng)
    if small is not scene:
        finer = Matcher(scene.picture, scene.hole, scene.copied, radius=RADIUS, rng=rng)
        field, matcher = finer.start_from(field, matcher.shape), finer
    for _ in range(2):
        matcher.improve(field, _copy(scene, *_best(matcher, field, scene.hole)), turns=2, reach=8)
    rows, columns = _best(matcher, field, scene.hole)
    filled = even_light(_without_seams(matcher, field, scene), scene.picture, scene.hole, scene.sources)
    return Synthesis(filled, rows, columns)


def _start(scene: Scene, matcher: Matcher, rng: np.random.Generator) -> Field:
    """A layout made at a very small size, unless it meets the hole's rim worse than a guess at this size does."""
    level = None if _is_smooth(scene) else _layout_level(scene, _LAYOUT_SIDES[0])
    seeds = [int(seed) for seed in rng.integers(1 << 32, size=2)]
    coarse = None if level is None else _patchmatch(level, seeds[0])
    # PatchMatch lets other threads run: its large guess takes no longer than the layout beside it.
    with ThreadPoolExecutor(1) as beside:
        large = beside.submit(_patchmatch, scene, seeds[1])
        laid_out = None if level is None or coarse is None else _enlarged_layout(scene, level, coarse, matcher, rng)
        guess = large.result()
    guessed = matcher.start()
    matcher.improve(guessed, guess, turns=4, texture=_GUESS_TEXTURE)
    matcher.improve(guessed, _copy(scene, *_best(matcher, guessed, scene.hole)), turns=2, reach=40)
    if laid_out is None:
        return guessed
    matcher.improve(laid_out, _copy(scene, *_best(matcher, laid_out, scene.hole)), turns=2, reach=40)
    allowed = _RIM_TOLERANCE * _rim_mismatch(guessed, scene.hole)
    return laid_out if _rim_mismatch(laid_out, scene.hole) <= allowed else guessed


def _is_smooth(scene: Scene) -> bool:
    """Whether what can be copied has next to no detail."""
    detail = np.abs(scene.picture - cv2.GaussianBlur(scene.picture, (0, 0), 2)).mean(-1)
    inner = cv2.erode(scene.sources.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return not inner.any() or float(detail[inner].mean()) < _SMOOTH


def _rim_mismatch(field: Field, hole: Flags) -> float:
    """The mean distance between the patches that mostly show what is known, and their sources."""
    rim = _depth(hole)[field.rows, field.columns] <= RADIUS
    return float(np.sqrt(field.cost[rim]).mean())


def _layout_level(scene: Scene, side: int) -> Scene | None:
    """The scene at a layout's size; None where it is not larger than that, or too little is left to copy."""
    height, width = scene.hole.shape
    scale = max(side / max(height, width), _LEAST_SIDE / min(height, width))
    if scale >= 1:
        return None
    level = shrink(scene, (round(width * scale), round(height * scale)))
    return level if level.hole.any() and enough_to_copy(level) else None


def _enlarged_layout(scene: Scene, level: Scene, guess: Floats, finest: Matcher, rng: np.random.Generator) -> Field:
    """The field of a layout, copied and searched again at every larger size."""
    field = lay_out(level.picture, level.hole, level.copied, guess, radius=RADIUS)
    shape = level.hole.shape
    for side in _LAYOUT_SIDES[1:]:
        larger = _layout_level(scene, side)
        if larger is not None:
            matcher = Matcher(larger.picture, larger.hole, larger.copied, radius=RADIUS, rng=rng)
            field, shape = _enlarged(field, shape, matcher, larger, turns=3), larger.hole.shape
    return _enlarged(field, shape, finest, scene, turns=2)


def _enlarged(field: Field, shape: tuple[int, int], matcher: Matcher, scene: Scene, *, turns: int) -> Field:
    field = matcher.start_from(field, shape)
    for _ in range(turns):
        copies = _copy(scene, *_best(matcher, field, scene.hole))
        matcher.improve(field, copies, reach=8, texture=_GUESS_TEXTURE)
    return field


def _patchmatch(scene: Scene, seed: int) -> Floats:
    patchmatch.set_random_seed(seed)
    forbidden = ~scene.sources & ~scene.hole
    filled = patchmatch.inpaint(
        np.clip(scene.picture + 0.5, 0, 255).astype(np.uint8),
        scene.hole.astype(np.uint8) * 255,
        global_mask=forbidden.astype(np.uint8) * 255 if forbidden.any() else None,
        patch_size=RADIUS,
    )
    return np.where(scene.hole[..., None], filled.astype(np.float32), scene.picture)


def _scores(field: Field, hole: Flags) -> Floats:
    """How much each patch is to be believed, as a logarithm: by its likeness and by how much known it covers."""
    depth = _depth(hole)
    spread = max(float(np.quantile(field.cost, 0.75)), 1.0)
    likeness = -field.cost / (2 * spread)
    return np.asarray(likeness - np.log(_DECAY) * depth[field.rows, field.columns], np.float32)


def _depth(hole: Flags) -> Floats:
    """(H, W): how far each pixel lies inside the hole; the picture's border is no edge of it."""
    padded = np.pad(hole, 1, mode="edge").astype(np.uint8)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1], np.float32)


def _best(matcher: Matcher, field: Field, wanted: Flags) -> tuple[Indices, Indices]:
    """(H, W) the source of every wanted pixel by the best patch over it; elsewhere the pixel itself."""
    scores = _scores(field, wanted)
    rows, columns = np.nonzero(wanted)
    best = np.full(len(rows), -np.inf, np.float32)
    source_rows, source_columns = rows.copy(), columns.copy()
    steps = range(-matcher.radius, matcher.radius + 1)
    for down, right in ((down, right) for down in steps for right in steps):
        index = matcher.target_index(rows - down, columns - right)
        score = np.where(index >= 0, scores[index], -np.inf)
        better = np.flatnonzero(score > best)
        best[better] = score[better]
        source_rows[better] = field.source_rows[index[better]] + down
        source_columns[better] = field.source_columns[index[better]] + right
    all_rows, all_columns = (np.asarray(axis, np.intp) for axis in np.indices(wanted.shape))
    all_rows[wanted], all_columns[wanted] = source_rows, source_columns
    return all_rows, all_columns


def _copy(scene: Scene, rows: Indices, columns: Indices) -> Floats:
    return scene.picture[rows, columns]


def _without_seams(matcher: Matcher, field: Field, scene: Scene) -> Floats:
    """The copies, moved softly towards the means in the hole and towards the truth just outside it."""
    rim = cv2.dilate(scene.hole.astype(np.uint8), np.ones((2 * matcher.radius + 1,) * 2, np.uint8)) > 0
    copies = _copy(scene, *_best(matcher, field, rim))
    wanted = np.where(scene.hole[..., None], _mean(matcher, field, scene), scene.picture)
    excess = np.clip(wanted - copies, -_SEAM_LIMIT, _SEAM_LIMIT) * rim[..., None]
    weight = cv2.GaussianBlur(rim.astype(np.float32), (0, 0), _SEAM_SIGMA)
    step = cv2.GaussianBlur(excess, (0, 0), _SEAM_SIGMA) / np.maximum(weight, 1e-3)[..., None]
    return np.where(scene.hole[..., None], copies + step, scene.picture)


def _mean(matcher: Matcher, field: Field, scene: Scene) -> Floats:
    """Every pixel of the hole: the mean of what the patches over it say, the better counting more."""
    weights = np.exp(_scores(field, scene.hole)) + np.float32(1e-12)
    rows, columns = np.nonzero(scene.hole)
    total = np.zeros((len(rows), 4), np.float32)
    steps = range(-matcher.radius, matcher.radius + 1, 2)
    for down, right in ((down, right) for down in steps for right in steps):
        index = matcher.target_index(rows - down, columns - right)
        there = np.flatnonzero(index >= 0)
        index = index[there]
        weight = weights[index][:, None]
        said = scene.picture[field.source_rows[index] + down, field.source_columns[index] + right]
        total[there, :3] += weight * said
        total[there, 3:] += weight
    picture = scene.picture.copy()
    picture[rows, columns] = total[:, :3] / np.maximum(total[:, 3:], 1e-20)
    return picture
