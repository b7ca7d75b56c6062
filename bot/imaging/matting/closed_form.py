"""Closed-form matting: alpha from local linear colour models, solved for the unknown pixels only.

Levin, Lischinski, Weiss: A Closed-Form Solution to Natural Image Matting (2008). In each 3 × 3 window alpha is assumed
to be an affine function of colour; the sum of the windows' misfits is a quadratic form whose matrix couples each pixel
with the 5 × 5 around it. Known pixels are put in as values, so that the system is as large as the unknown band, not as
the picture, and it is kept as 25 coefficients a pixel: no sparse-matrix library is needed.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Matte, Pixels

_Floats = NDArray[np.float64]
_Indices = NDArray[np.intp]

_EPSILON = 1e-5
"""Regulariser of a window's colour covariance (colours 0 … 1), against noise and flat windows."""

_CHUNK = 16384
"""Windows whose 9 × 9 couplings are computed at a time: 11 MB per chunk."""

_COARSEST = 96
"""Long side in pixels below which no coarser solution is computed as a first guess."""

_STENCIL = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)]
_WINDOW = [(dy, dx) for dy in range(-1, 2) for dx in range(-1, 2)]


def solve(
    picture: Pixels,
    trimap: Matte,
    *,
    guess: NDArray[np.float32] | None = None,
    trust: NDArray[np.float32] | None = None,
    iterations: int = 80,
) -> NDArray[np.float32]:
    """Solve alpha of a trimap's unknown pixels.

    Args:
        picture: (H, W, 3) uint8.
        trimap: (H, W) uint8: 0 = background, 255 = foreground, anything between = unknown.
        guess: (H, W) float32, 0 … 1: a prior for alpha where the colours are ambiguous. None: no prior.
        trust: (H, W) float32 ≥ 0, weight of `guess` against a window's misfit. None: `guess` is only where the solver
            starts.
        iterations: Most steps of conjugate gradients at full size; each is linear in the unknown pixels.

    Returns:
        (H, W) float32, 0 … 1; 0 and 1 where the trimap is known.
    """
    alpha: NDArray[np.float32] = (trimap == 255).astype(np.float32)
    unknown = (trimap > 0) & (trimap < 255)
    if not unknown.any():
        return alpha
    start = _first_guess(picture, trimap, guess, trust) if guess is None or trust is not None else guess
    coefficients, neighbours = _system(picture, unknown)
    places = np.flatnonzero(unknown)
    right = -_known_part(coefficients, alpha, places)
    if guess is not None and trust is not None:
        pull = trust.ravel()[places]
        coefficients[12] += pull
        right += pull * guess.ravel()[places]
    solved = _conjugate_gradients(coefficients, neighbours, right, start.ravel()[places].astype(np.float64), iterations)
    alpha.ravel()[places] = np.clip(solved, 0, 1)
    return alpha


def _first_guess(
    picture: Pixels, trimap: Matte, guess: NDArray[np.float32] | None, trust: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The solution at half size, scaled up: conjugate gradients reduce fine errors fast and broad ones slowly."""
    height, width = trimap.shape
    if max(height, width) <= _COARSEST or min(height, width) < 8:
        return np.asarray(trimap / 255, np.float32)
    size = ((width + 1) // 2, (height + 1) // 2)
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    mixed = cv2.resize(np.where(trimap == 255, 255, np.where(trimap == 0, 0, 128)).astype(np.uint8), size)
    halves = (
        None if part is None else np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)
        for part in (guess, trust)
    )
    coarse = solve(small, np.asarray(mixed, np.uint8), guess=next(halves), trust=next(halves))
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _system(picture: Pixels, unknown: NDArray[np.bool_]) -> tuple[_Floats, _Indices]:
    """The rows of the matting Laplacian that belong to unknown pixels.

    Returns:
        (25, N) coefficients over the 5 × 5 around each of the N unknown pixels, and (25, N) places of those neighbours
        in the vector of unknowns; N stands for a neighbour that is known or outside.
    """
    height, width = unknown.shape
    count = int(np.count_nonzero(unknown))
    order = np.full((height + 4, width + 4), count, np.intp)
    order[2:-2, 2:-2][unknown] = np.arange(count)
    rows, columns = np.nonzero(unknown)
    neighbours = np.stack([order[rows + 2 + dy, columns + 2 + dx] for dy, dx in _STENCIL])
    coefficients = np.zeros((25, count + 1))
    touched = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    touched[[0, -1]] = touched[:, [0, -1]] = False
    middles = np.argwhere(touched)
    inner = order[2:-2, 2:-2]
    for first in range(0, len(middles), _CHUNK):
        y, x = middles[first : first + _CHUNK].T
        couplings = _couplings(np.stack([picture[y + dy, x + dx] for dy, dx in _WINDOW], 1) / 255.0)
        for i, (iy, ix) in enumerate(_WINDOW):
            row = inner[y + iy, x + ix]
            for j, (jy, jx) in enumerate(_WINDOW):
                # Known pixels' rows all land in the last column, which is dropped.
                coefficients[(jy - iy + 2) * 5 + jx - ix + 2, row] += couplings[:, i, j]
    return coefficients[:, :-1], neighbours


def _couplings(colours: _Floats) -> _Floats:
    """(n, 9, 9) share of each window in the matting Laplacian (equation 12 of the paper), from (n, 9, 3) colours."""
    apart = colours - colours.mean(1, keepdims=True)
    spread = np.einsum("nki,nkj->nij", apart, apart) / 9 + np.eye(3) * (_EPSILON / 9)
    affinity = (1 + apart @ np.linalg.solve(spread, apart.transpose(0, 2, 1))) / 9
    return np.asarray(np.eye(9) - affinity, np.float64)


def _known_part(coefficients: _Floats, alpha: NDArray[np.float32], places: _Indices) -> _Floats:
    """What the known foreground adds to each unknown pixel's row."""
    width = alpha.shape[1]
    rows, columns = np.divmod(places, width)
    framed = np.pad(alpha, 2)
    total = np.zeros(len(places))
    for weight, (dy, dx) in zip(coefficients, _STENCIL, strict=True):
        total += weight * framed[rows + 2 + dy, columns + 2 + dx]
    return total


def _conjugate_gradients(
    coefficients: _Floats, neighbours: _Indices, right: _Floats, start: _Floats, iterations: int
) -> _Floats:
    """Solve the symmetric system, preconditioned by its diagonal; stops when changes become invisible."""
    framed = np.zeros(len(right) + 1)

    def apply(vector: _Floats) -> _Floats:
        framed[:-1] = vector
        return np.asarray(np.einsum("kn,kn->n", coefficients, framed[neighbours]))

    scale = 1 / np.maximum(coefficients[12], 1e-9)
    solution = start.copy()
    rest = right - apply(solution)
    step = scale * rest
    direction = step.copy()
    power = float(rest @ step)
    goal = 1e-9 * len(right)
    for _ in range(iterations):
        if power <= goal:
            break
        along = apply(direction)
        length = power / max(float(direction @ along), 1e-30)
        solution += length * direction
        rest -= length * along
        step = scale * rest
        previous, power = power, float(rest @ step)
        direction = step + (power / previous) * direction
    return solution
