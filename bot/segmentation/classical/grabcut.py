"""GrabCut, and the connected pieces of a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Pixels
from bot.segmentation.arrays import Bools, Floats


def run_grabcut(picture: Pixels, inside: Bools, outside: Bools, initial: Bools, rounds: int = 3) -> Bools:
    """Separate an object by colour and edges (Rother, Kolmogorov, Blake: GrabCut, SIGGRAPH 2004).

    Args:
        picture: (H, W, 3) uint8 RGB, small.
        inside: (H, W) certainly the object.
        outside: (H, W) certainly not; wins over `inside`.
        initial: (H, W) the first guess for the other pixels.
        rounds: Rounds of fitting the colour models and cutting.

    Returns:
        (H, W) the object; the first guess where one side has fewer than 16 pixels to learn colours from.
    """
    state = np.where(initial, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    state[inside] = cv2.GC_FGD
    state[outside] = cv2.GC_BGD
    front = int(np.count_nonzero(state & 1))
    if min(front, state.size - front) < 16:
        return (state & 1).astype(bool)
    # OpenCV clusters the colours with its global random generator; the same photo must give the same mask.
    cv2.setRNGSeed(1)
    back, fore = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(picture[..., ::-1].copy(), state, (0, 0, 1, 1), back, fore, rounds, cv2.GC_INIT_WITH_MASK)
    return (state & 1).astype(bool)


def refine_edge(picture: Pixels, initial: Bools, width: int, rounds: int = 2) -> Bools:
    """Let GrabCut move a mask's edge by at most `width` pixels."""
    size = 2 * width + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    wide = cv2.dilate(initial.astype(np.uint8), disc) > 0
    narrow = cv2.erode(initial.astype(np.uint8), disc, borderType=cv2.BORDER_REPLICATE) > 0
    return run_grabcut(picture, narrow, ~wide, initial, rounds)


def connected_pieces(mask: Bools) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Connected parts of a mask: their labels (H, W), 0 = none, and the size of each label in pixels."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return np.asarray(labels, np.int32), np.asarray(statistics[:, cv2.CC_STAT_AREA], np.int32)


def keep_main_pieces(mask: Bools, weight: Floats, share: float = 0.25) -> Bools:
    """Keep the part with the most weight and those with at least `share` of its weight."""
    labels, sizes = connected_pieces(mask)
    if len(sizes) < 2:
        return mask
    worth = np.bincount(labels.ravel(), weight.ravel(), len(sizes))
    worth[0] = 0
    kept = worth >= max(share * worth.max(), 1e-9)
    kept[0] = False
    return np.asarray(kept[labels], bool)


def fill_holes(mask: Bools, share: float = 0.02) -> Bools:
    """Fill holes smaller than `share` of the mask; larger ones (a handle, bent arms) are real."""
    labels, sizes = connected_pieces(~mask)
    small = sizes < max(share * np.count_nonzero(mask), 8)
    small[0] = False
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    small[border] = False
    return np.asarray(mask | small[labels], bool)
