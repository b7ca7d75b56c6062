"""What stands out: boundary connectivity and the minimum barrier distance, on superpixels.

Both say how a region relates to the picture's border: background runs into it broadly, the subject does not.
"""

from __future__ import annotations

import heapq

import numpy as np

from bot.segmentation.classical.grabcut import Bools
from bot.segmentation.classical.superpixels import Floats, Regions

_COLOUR_SCALE = 10.0
"""Lab distance along a path up to which two regions count as one surface; Zhu et al. use 10."""
_SPACE_SCALE = 0.25
"""Share of the picture over which contrast is gathered; Zhu et al. use 0.25."""


def boundary_connectivity(regions: Regions) -> Floats:
    """How broadly the surface of each region runs into the picture's border.

    Zhu, Liang, Wei, Sun: Saliency Optimization from Robust Background Detection, CVPR 2014, eq. 3 to 6: the length of
    the surface's border part over the root of the surface's area, both gathered softly along geodesic colour paths.

    Returns:
        (n,) about 0 (inside) to some units (background); 1 and more is background for sure.
    """
    near = np.exp(-(geodesic(regions) ** 2) / (2 * _COLOUR_SCALE**2))
    mean_area = regions.area.mean()
    spread = near @ (regions.area / mean_area)
    along = near @ (regions.rim / np.sqrt(mean_area))
    return np.asarray(along / np.sqrt(np.maximum(spread, 1e-6)), np.float32)


def robust_background(regions: Regions) -> Floats:
    """Saliency by background-weighted contrast, then least squares (same paper, eq. 8 and 9).

    Returns:
        (n,) 0 … 1, 1 = most salient.
    """
    background = 1 - np.exp(-(boundary_connectivity(regions) ** 2) / 2)
    apart = _colour_distances(regions)
    places = regions.centre[:, None] - regions.centre[None]
    near = np.exp(-(places**2).sum(-1) / (2 * _SPACE_SCALE**2))
    size = regions.area / regions.area.mean()
    contrast = normalise((apart * near) @ (background * size))
    first, second = regions.pairs.T
    smooth = np.exp(-(apart[first, second] ** 2) / (2 * _COLOUR_SCALE**2)) + 0.1
    count = regions.count
    laplacian = np.zeros((count, count))
    laplacian[first, second] = laplacian[second, first] = -smooth
    np.fill_diagonal(laplacian, -laplacian.sum(1))
    system = laplacian + np.diag(background + contrast + 1e-6)
    return normalise(np.linalg.solve(system, contrast))


def minimum_barrier(regions: Regions) -> Floats:
    """Minimum barrier distance to the border along the minimum spanning tree of colours.

    Tu, He, Yang, Chien: Real-Time Salient Object Detection with a Minimum Spanning Tree, CVPR 2016. The barrier of a
    path is its highest value less its lowest, per channel; the border's regions are the seeds.

    Returns:
        (n,) 0 … 1.
    """
    order, parent = _spanning_tree(regions)
    colour = regions.lab
    seed = regions.rim > 0
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
    """Stretch values to 0 … 1; all zero where they are all alike."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        return np.zeros(values.shape, np.float32)
    return np.asarray((values - low) / (high - low), np.float32)


def _colour_distances(regions: Regions) -> Floats:
    apart: Floats = np.sqrt(((regions.lab[:, None] - regions.lab[None]) ** 2).sum(-1))
    return apart


def geodesic(regions: Regions, *, around: bool = True) -> Floats:
    """Length of the cheapest colour path between any two regions: (n, n).

    Args:
        regions: The regions.
        around: Whether all regions on the picture's border count as neighbours of each other.
    """
    count = regions.count
    apart = _colour_distances(regions)
    length = np.full((count, count), np.inf, np.float32)
    first, second = regions.pairs.T
    length[first, second] = length[second, first] = apart[first, second]
    border = np.flatnonzero(regions.rim > 0)
    if around:
        length[np.ix_(border, border)] = apart[np.ix_(border, border)]
    np.fill_diagonal(length, 0)
    # The paper clips steps below the typical step of one surface, so that long smooth ramps stay one surface.
    steps = apart[first, second]
    clip = float(np.quantile(steps, 0.2)) if steps.size else 0.0
    length = np.asarray(np.maximum(length - clip, 0), np.float32)
    for middle in range(count):
        np.minimum(length, length[:, middle, None] + length[None, middle], out=length)
    return length


def cheapest(regions: Regions, seeds: Bools) -> Floats:
    """Length of the cheapest colour path from any seed to each region (Dijkstra): (n,); inf where none leads."""
    first, second = regions.pairs.T
    steps = np.sqrt(((regions.lab[first] - regions.lab[second]) ** 2).sum(1))
    if steps.size:
        steps = np.maximum(steps - np.quantile(steps, 0.2), 0)
    near: list[list[tuple[int, float]]] = [[] for _ in range(regions.count)]
    for one, other, step in zip(first.tolist(), second.tolist(), steps.tolist(), strict=True):
        near[one].append((other, step))
        near[other].append((one, step))
    length = [float("inf")] * regions.count
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


def _spanning_tree(regions: Regions) -> tuple[list[int], list[int]]:
    """Kruskal's minimum spanning tree: nodes breadth-first from region 0, and each node's parent (-1: root)."""
    first, second = regions.pairs.T
    steps = np.abs(regions.lab[first] - regions.lab[second]).max(1)
    root = list(range(regions.count))

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
    parent = [-1] * regions.count
    seen = {0}
    for node in order:
        for other in near[node]:
            if other not in seen:
                seen.add(other)
                parent[other] = node
                order.append(other)
    return order, parent
