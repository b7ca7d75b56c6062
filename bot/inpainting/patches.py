"""Nearest-neighbour fields: for every patch that touches a hole, the most similar known patch.

The search is PatchMatch (Barnes et al., SIGGRAPH 2009) written as whole-array steps: all patches try their neighbours'
sources at once, at several distances (as in jump flooding), then random ones. Patches are compared by the low
frequencies of their cosine transform, a sixth of the numbers for nearly the same ranking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Indices: TypeAlias = NDArray[np.intp]
Flags: TypeAlias = NDArray[np.bool_]

_FREQUENCIES = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0), (2, 2), (0, 4), (4, 0))
"""Down and across, lowest first."""
_COLOUR_FREQUENCIES = 5
_TEXTURE_WEIGHT = 6.0
"""Weight of the mean slope against a colour, as measured (docs/local-engine.md#patch-size)."""


@dataclass(slots=True)
class Field:
    """The source of each patch of the hole.

    Attributes:
        rows: (N,) centres of the patches, all at least a radius inside the picture.
        columns: (N,) likewise.
        source_rows: (N,) centres of the known patches they were matched with.
        source_columns: (N,) likewise.
        cost: (N,) float32 squared distance of their descriptors; inf where no source was tried.
    """

    rows: Indices
    columns: Indices
    source_rows: Indices
    source_columns: Indices
    cost: Floats


def valid_patch_centres(sources: Flags, radius: int) -> Flags:
    """Return (H, W): whether the patch centred there is inside the picture and contains only sources."""
    square = np.ones((2 * radius + 1,) * 2, np.uint8)
    whole = cv2.erode(sources.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(whole > 0)


def describe(picture: Floats, radius: int) -> Floats:
    """Describe the patch around every pixel.

    Args:
        picture: (H, W, 3) float32 RGB 0 … 255.
        radius: The patches are 2·radius + 1 across.

    Returns:
        (H, W, K) float32 descriptors. Their squared distances approximate the sums of squared differences of the
        patches, plus those of their mean horizontal and vertical slopes.
    """
    side = 2 * radius + 1
    grid = (np.arange(side) + 0.5) * np.pi / side
    waves = [np.cos(k * grid) for k in range(min(5, side))]
    waves = [(wave / np.linalg.norm(wave)).astype(np.float32) for wave in waves]
    frequencies = [(down, across) for down, across in _FREQUENCIES if max(down, across) < side]
    # An orthonormal opponent space: distances stay those of RGB, and the first axis has most of the variance.
    opponent = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], np.float32)
    opponent /= np.linalg.norm(opponent, axis=1, keepdims=True)
    planes = cv2.transform(picture, opponent)
    light = np.ascontiguousarray(planes[..., 0])
    described = np.empty((*light.shape, len(frequencies) + 2 * _COLOUR_FREQUENCIES + 2), np.float32)
    at = 0
    for number, (down, across) in enumerate(frequencies):
        channels = planes if number < _COLOUR_FREQUENCIES else light
        found = cv2.sepFilter2D(channels, cv2.CV_32F, waves[across], waves[down])
        found = found.reshape(*light.shape, -1)
        described[..., at : at + found.shape[2]] = found
        at += found.shape[2]
    # The light is √3 times the grey; a Sobel of one row is twice the slope.
    weight = _TEXTURE_WEIGHT * side / (2 * np.sqrt(3))
    for dx, dy in ((1, 0), (0, 1)):
        described[..., at] = weight * cv2.blur(np.abs(cv2.Sobel(light, cv2.CV_32F, dx, dy, ksize=1)), (side, side))
        at += 1
    return described


class PatchMatcher:
    """Finds sources for the patches over one hole in one picture.

    Args:
        known: (H, W, 3) float32 RGB; its values where `sources` is false do not matter.
        hole: (H, W) bool, the pixels to fill.
        sources: (H, W) bool, the pixels that may be copied; at least one whole patch of them.
        radius: The patches are 2·radius + 1 across.
        rng: Random generator.
    """

    def __init__(self, known: Floats, hole: Flags, sources: Flags, *, radius: int, rng: np.random.Generator) -> None:
        self.radius = radius
        self.shape = (int(hole.shape[0]), int(hole.shape[1]))
        self._rng = rng
        self._valid_centres = valid_patch_centres(sources, radius)
        self._sources = describe(known, radius).reshape(hole.size, -1)
        touched = cv2.dilate(hole.astype(np.uint8), np.ones((2 * radius + 1,) * 2, np.uint8)) > 0
        touched[:radius] = touched[-radius:] = False
        touched[:, :radius] = touched[:, -radius:] = False
        self._rows, self._columns = np.nonzero(touched)
        self._patch_indices = np.full(hole.shape, -1, np.int32)
        self._patch_indices[self._rows, self._columns] = np.arange(len(self._rows))
        # One pixel more than a patch: slopes are differences of neighbours.
        reach = radius + 1
        top, left = max(0, self._rows.min() - reach), max(0, self._columns.min() - reach)
        bottom, right = self._rows.max() + reach + 1, self._columns.max() + reach + 1
        self._neighbours: dict[tuple[int, int], tuple[Indices, Indices]] = {}
        self._window = (slice(top, bottom), slice(left, right))

    def patch_index(self, rows: Indices, columns: Indices) -> Indices:
        """Return the index of the field's patch centred there; -1 where there is none."""
        inside = (rows >= 0) & (rows < self.shape[0]) & (columns >= 0) & (columns < self.shape[1])
        flat = np.where(inside, rows * self.shape[1] + columns, 0)
        return np.where(inside, self._patch_indices.ravel()[flat], -1).astype(np.intp)

    def random_field(self) -> Field:
        """Make a field with random sources."""
        rows, columns = np.nonzero(self._valid_centres)
        picked = self._rng.integers(0, len(rows), len(self._rows))
        return self._make_field(rows[picked], columns[picked])

    def upscaled_field(self, coarse: Field, coarse_shape: tuple[int, int]) -> Field:
        """Scale the field of a coarser level up to this level."""
        scale_y, scale_x = self.shape[0] / coarse_shape[0], self.shape[1] / coarse_shape[1]
        offsets = np.full((*coarse_shape, 2), np.inf, np.float32)
        offsets[coarse.rows, coarse.columns, 0] = (coarse.source_rows - coarse.rows) * scale_y
        offsets[coarse.rows, coarse.columns, 1] = (coarse.source_columns - coarse.columns) * scale_x
        near_rows = np.clip((self._rows / scale_y).astype(np.intp), coarse.rows.min(), coarse.rows.max())
        near_columns = np.clip((self._columns / scale_x).astype(np.intp), coarse.columns.min(), coarse.columns.max())
        offset = offsets[near_rows, near_columns]
        known_offset = np.isfinite(offset[:, 0])
        step = np.rint(np.where(known_offset[:, None], offset, 0)).astype(np.intp)
        rows, columns = self._rows + step[:, 0], self._columns + step[:, 1]
        usable = known_offset & self._is_valid_source(rows, columns)
        random = self.random_field()
        return self._make_field(
            np.where(usable, rows, random.source_rows), np.where(usable, columns, random.source_columns)
        )

    def improve(
        self, field: Field, picture: Floats, *, turns: int = 1, reach: int | None = None, texture: float = 1
    ) -> None:
        """Search better sources for the patches of the current picture.

        Args:
            field: Changed in place.
            picture: (H, W, 3) float32 with the current fill.
            turns: Rounds of propagation and random search.
            texture: Factor by which the sources should have more texture than the picture.
            reach: Largest distance in pixels of a random try from the current source; None: the whole picture.
        """
        rows, columns = self._window
        described = describe(np.ascontiguousarray(picture[rows, columns]), self.radius)
        described[..., -2:] *= texture
        targets = described[field.rows - rows.start, field.columns - columns.start]
        all_patches = np.arange(len(field.rows))
        field.cost = self._squared_distance(
            targets, all_patches, field.source_rows * self.shape[1] + field.source_columns
        )
        for _ in range(turns):
            for step in (4, 2, 1):
                for down, right in ((0, step), (0, -step), (step, 0), (-step, 0)):
                    self._propagate(field, targets, down, right)
            span = float(reach or max(self.shape))
            while span >= 1:
                shift = np.rint(self._rng.uniform(-span, span, (2, len(all_patches)))).astype(np.intp)
                self._accept_better(
                    field, targets, all_patches, field.source_rows + shift[0], field.source_columns + shift[1]
                )
                span /= 3

    def _propagate(self, field: Field, targets: Floats, down: int, right: int) -> None:
        if (down, right) not in self._neighbours:
            neighbour = self.patch_index(field.rows + down, field.columns + right)
            patches = np.flatnonzero(neighbour >= 0)
            self._neighbours[down, right] = patches, neighbour[patches]
        patches, neighbours = self._neighbours[down, right]
        new_rows, new_columns = field.source_rows[neighbours] - down, field.source_columns[neighbours] - right
        differs = (new_rows != field.source_rows[patches]) | (new_columns != field.source_columns[patches])
        self._accept_better(field, targets, patches[differs], new_rows[differs], new_columns[differs])

    def _accept_better(self, field: Field, targets: Floats, patches: Indices, rows: Indices, columns: Indices) -> None:
        usable = self._is_valid_source(rows, columns)
        patches, rows, columns = patches[usable], rows[usable], columns[usable]
        cost = self._squared_distance(targets, patches, rows * self.shape[1] + columns)
        better = cost < field.cost[patches]
        patches = patches[better]
        field.cost[patches] = cost[better]
        field.source_rows[patches] = rows[better]
        field.source_columns[patches] = columns[better]

    def _squared_distance(self, targets: Floats, patches: Indices, sources: Indices) -> Floats:
        difference = targets[patches]
        difference -= self._sources[sources]
        return np.asarray(np.einsum("nk,nk->n", difference, difference), np.float32)

    def _is_valid_source(self, rows: Indices, columns: Indices) -> Flags:
        inside = (rows >= 0) & (rows < self.shape[0]) & (columns >= 0) & (columns < self.shape[1])
        flat = np.where(inside, rows * self.shape[1] + columns, 0)
        return np.asarray(inside & self._valid_centres.ravel()[flat])

    def _make_field(self, rows: Indices, columns: Indices) -> Field:
        return Field(self._rows, self._columns, rows.copy(), columns.copy(), np.zeros(len(rows), np.float32))
