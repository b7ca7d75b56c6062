"""Saliency on superpixels: boundary connectivity and the minimum barrier distance.

Both measure how a superpixel relates to the picture's border: background meets it broadly, the subject does not.
"""

from __future__ import annotations

import heapq

import numpy as np

from bot.segmentation.arrays import Bools, Floats
from bot.segmentation.classical.superpixels import Superpixels

_COLOUR_SCALE = 10.0
"""Lab distance along a path up to which two superpixels count as one surface; Zhu et al. use 10."""
_SPACE_SCALE = 0.25
"""Share of the picture over which contrast is gathered; Zhu et al. use 0.25."""


def boundary_connectivity(superpixels: Superpixels) -> Floats:
    """How broadly the surface of each superpixel meets the picture's border.

    Zhu, Liang, Wei, Sun: Saliency Optimization from Robust Background Detection, CVPR 2014, eq. 3 to 6: the length of
    the surface's border part over the root of the surface's area, both gathered softly along geodesic colour paths.

    Returns:
        (n,) from about 0 (inside) to a few units; from 1 on it is certainly background.
    """
    near = np.exp(-(geodesic_distances(superpixels) ** 2) / (2 * _COLOUR_SCALE**2))
    mean_area = superpixels.area.mean()
    spread = near @ (superpixels.area / mean_area)
    along = near @ (superpixels.border / np.sqrt(mean_area))
    return np.asarray(along / np.sqrt(np.maximum(spread, 1e-6)), np.float32)


def robust_background(superpixels: Superpixels) -> Floats:
    """Saliency by background-weighted contrast, then least squares (same paper, eq. 8 and 9).

    Returns:
        (n,) 0 … 1, 1 = most salient.
    """
    background = 1 - np.exp(-(boundary_connectivity(superpixels) ** 2) / 2)
    apart = _colour_distances(superpixels)
    places = superpixels.centre[:, None] - superpixels.centre[None]
    near = np.exp(-(places**2).sum(-1) / (2 * _SPACE_SCALE**2))
    size = superpixels.area / superpixels.area.mean()
    contrast = normalise((apart * near) @ (background * size))
    first, second = superpixels.pairs.T
    smooth = np.exp(-(apart[first, second] ** 2) / (2 * _COLOUR_SCALE**2)) + 0.1
    count = superpixels.count
    laplacian = np.zeros((count, count))
    laplacian[first, second] = laplacian[second, first] = -smooth
    np.fill_diagonal(laplacian, -laplacian.sum(1))
    system = laplacian + np.diag(background + contrast + 1e-6)
    return normalise(np.linalg.solve(system, contrast))


def minimum_barrier(superpixels: Superpixels) -> Floats:
    """Minimum barrier distance to the border along the minimum spanning tree of colours.

    Tu, He, Yang, Chien: Real-Time Salient Object Detection with a Minimum Spanning Tree, CVPR 2016. The barrier of a
    path is its highest value minus its lowest, per channel; the superpixels on the border are the seeds.

    Returns:
        (n,) 0 … 1.
    """
    order, parent = _spanning_tree(superpixels)
    colour = superpixels.lab
    seed = superpixels.border > 0
    highest, lowest = colour.copy(), colour.copy()
    distance = np.where(seed, 0.0, np.inf)
    for upward in (True, False):
        for node in reversed(order) if upward else order:
            above = parent[node]
            if above < 0:
                continue
            source, target = (node, above) if upward else (above, node)
            if not np.isfinite(distance[source]):
                continue
            top = np.maximum(highest[source], colour[target])
            bottom = np.minimum(lowest[source], colour[target])
            barrier = float((top - bottom).sum())
            if barrier < distance[target]:
                distance[target], highest[target], lowest[target] = barrier, top, bottom
    return normalise(np.where(np.isfinite(distance), distance, 0.0))


def normalise(values: Floats) -> Floats:
    """Stretch values to 0 … 1; all 0 where they are all equal."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        return np.zeros(values.shape, np.float32)
    return np.asarray((values - low) / (high - low), np.float32)


def _colour_distances(superpixels: Superpixels) -> Floats:
    apart: Floats = np.sqrt(((superpixels.lab[:, None] - superpixels.lab[None]) ** 2).sum(-1))
    return apart


def geodesic_distances(superpixels: Superpixels) -> Floats:
    """Length of the shortest colour path between any two superpixels: (n, n).

    All superpixels on the picture's border count as neighbours of each other.
    """
    count = superpixels.count
    apart = _colour_distances(superpixels)
    length = np.full((count, count), np.inf, np.float32)
    first, second = superpixels.pairs.T
    length[first, second] = length[second, first] = apart[first, second]
    border = np.flatnonzero(superpixels.border > 0)
    length[np.ix_(border, border)] = apart[np.ix_(border, border)]
    np.fill_diagonal(length, 0)
    # All steps are shortened by their 20 % quantile: small ones become 0, and a long smooth ramp stays one surface.
    steps = apart[first, second]
    clip = float(np.quantile(steps, 0.2)) if steps.size else 0.0
    length = np.asarray(np.maximum(length - clip, 0), np.float32)
    for middle in range(count):
        np.minimum(length, length[:, middle, None] + length[None, middle], out=length)
    return length


def geodesic_distances_from(superpixels: Superpixels, seeds: Bools) -> Floats:
    """Length of the shortest colour path from any seed to each superpixel (Dijkstra): (n,); inf where there is none."""
    first, second = superpixels.pairs.T
    steps = np.sqrt(((superpixels.lab[first] - superpixels.lab[second]) ** 2).sum(1))
    if steps.size:
        steps = np.maximum(steps - np.quantile(steps, 0.2), 0)
    near: list[list[tuple[int, float]]] = [[] for _ in range(superpixels.count)]
    for one, other, step in zip(first.tolist(), second.tolist(), steps.tolist(), strict=True):
        near[one].append((other, step))
        near[other].append((one, step))
    length = [float("inf")] * superpixels.count
    ahead = [(0.0, int(seed)) for seed in np.flatnonzero(seeds)]
    for _, seed in ahead:
        length[seed] = 0.0
    while ahead:
        so_far, here = heapq.heappop(ahead)
        if so_far > length[here]:
            continue
        for there, step in near[here]:
            if so_far + step < length[there]:
                length[there] = so_far + step
                heapq.heappush(ahead, (length[there], there))
    return np.asarray(length, np.float32)


def _spanning_tree(superpixels: Superpixels) -> tuple[list[int], list[int]]:
    """Kruskal's minimum spanning tree: nodes breadth-first from node 0, and each node's parent (-1: root)."""
    first, second = superpixels.pairs.T
    steps = np.abs(superpixels.lab[first] - superpixels.lab[second]).max(1)
    root = list(range(superpixels.count))

    def find(node: int) -> int:
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    near: list[list[int]] = [[] for _ in root]
    for index in np.argsort(steps, kind="stable"):
        one, other = int(first[index]), int(second[index])
        top, below = find(one), find(other)
        if top != below:
            root[top] = below
            near[one].append(other)
            near[other].append(one)
    order: list[int] = [0]
    parent = [-1] * superpixels.count
    seen = {0}
    for node in order:
        for other in near[node]:
            if other not in seen:
                seen.add(other)
                parent[other] = node
                order.append(other)
    return order, parent
