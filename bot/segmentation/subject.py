"""Finds the photo's main subject without a hint."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from bot.errors import NothingFoundError
from bot.imaging import masks
from bot.imaging.photo import Mask, Photo, Pixels
from bot.segmentation import FoundObject
from bot.segmentation.arrays import Bools, overlap
from bot.segmentation.classical import candidates, grabcut, see_through
from bot.segmentation.learned import closer_look
from bot.segmentation.learned.automatic_map import AutomaticMap, find_automatic_map, find_quick_map
from bot.segmentation.learned.confidence import LOOK_CLOSER, find_confidence, is_sure
from bot.segmentation.learned.net import NoUsableModelError
from bot.segmentation.learned.saliency_maps import SaliencyMaps
from bot.segmentation.scaling import enlarge, enlarge_soft, resize_mask, shrink

_CLASSICAL_SIDE = 320
"""Long side of the copy on which the classical method draws the edge."""
_EDGE_BAND = 4
"""Pixels by which GrabCut may move the edge on that copy."""
_LEARNED_SIDE = 1024
"""Long side of the copy on which the net's find is drawn: the largest input square of a segmenter."""
_COMPARE_SIDE = 640
"""Long side of the copy on which objects are compared."""
_MIN_SIDE = 8
_ROUGH_SEEDS = 4
MIN_SUBJECT_SHARE = 0.0015
"""Smallest subject as a share of the photo."""
_MAX_SUBJECT_SHARE = 0.95
_MIN_DEVIATION = 2.0
"""Standard deviation of 8-bit values below which a picture is flat."""
_CLEARLY_BETTER = 0.15
"""By how much another object's score (about 0.5 to 2) has to exceed the automatic find's to replace it."""
_MIN_AGREEMENT = 0.35
"""Expected overlap with the subject below which a classical find is not sure. Photos of one clear object have 0.48 or
more; of 40 street scenes seven have less, four of them wrong or half wrong. It cannot tell whether the clear object is
the one that the person means."""


def find_subject(photo: Photo, models: Path | None = None, map_file: Path | None = None) -> FoundObject:
    """Find the photo's main subject.

    Pure and synchronous: meant for a pixel process. Works on a small copy, so that time and memory hardly depend on
    the photo's size, and scales the result up along the photo's edges.

    Where the net sees nothing, or sees it faintly and finds nothing better in a closer look, the classical method
    answers, and the find is not sure.

    Args:
        photo: The photo.
        models: Folder of model files; None, or no usable model in it: the classical method answers.
        map_file: File that caches the net's saliency maps of this photo, so that taps and `find_objects` need not
            compute them again. Read where it exists, else written; its folder exists. None: nothing is cached.

    Returns:
        The matte of the photo's size, and whether it is sure.

    Raises:
        NothingFoundError: Nothing stands out (a flat picture, noise, a picture of a few pixels).
    """
    small = shrink(photo.pixels, _CLASSICAL_SIDE)
    if is_flat(small):
        raise NothingFoundError("nothing-found", why="flat")
    if models is not None:
        try:
            with SaliencyMaps(photo.pixels, models, map_file) as maps:
                found = _find_by_net(photo.pixels, maps)
        except NoUsableModelError:
            pass
        else:
            return _find_classically(photo.pixels, small, may_be_sure=False) if found is None else found
    return _find_classically(photo.pixels, small)


def find_rough_subject(photo: Photo, models: Path | None = None, map_file: Path | None = None) -> Mask | None:
    """Find roughly where the main subject is, for a caller that only has to avoid it.

    Takes half the time of `find_subject`; the edge is imprecise. Even a doubtful find helps: on the open photos it kept
    a dancer's arms from being copied into the crowd, and it harmed no fill.

    Args:
        photo: The photo.
        models: As for `find_subject`.
        map_file: As for `find_subject`; cached maps are used instead of a new pass.

    Returns:
        (H, W) uint8 mask of the photo's size; None where nothing stands out.
    """
    tiny = shrink(photo.pixels, candidates.LONG_SIDE)
    if is_flat(tiny):
        return None
    found: Bools | None = None
    if models is not None:
        small = shrink(photo.pixels, _COMPARE_SIDE)
        try:
            with SaliencyMaps(photo.pixels, models, map_file) as maps:
                automatic = find_quick_map(maps)
            if not automatic.is_empty:
                found = automatic.mask(small.shape[1], small.shape[0])
        except NoUsableModelError:
            pass
    if found is None or not found.any():
        features = candidates.measure(tiny)
        proposed = candidates.propose(features, seed_count=_ROUGH_SEEDS)
        if not proposed:
            return None
        found, _ = candidates.choose(features, proposed)
    return masks.scale(np.where(found, np.uint8(255), np.uint8(0)), photo.width, photo.height)


def is_flat(small: Pixels) -> bool:
    """Whether a picture has too few pixels or too little contrast for anything to stand out."""
    return min(small.shape[:2]) < _MIN_SIDE or float(small.std(axis=(0, 1)).max()) < _MIN_DEVIATION


def _find_by_net(pixels: Pixels, maps: SaliencyMaps) -> FoundObject | None:
    """The net's find; None where the net saw nothing of a subject's size."""
    small = shrink(pixels, _LEARNED_SIDE)
    height, width = small.shape[:2]
    automatic = find_automatic_map(maps)
    mask, soft = automatic.mask(width, height), automatic.soft_mask(width, height)
    confidence = find_confidence(automatic, mask)
    confirmed = True
    if confidence < LOOK_CLOSER and not maps.is_slow:
        chosen = _best_closer_find(automatic, maps, mask)
        if chosen is not None:
            soft = np.asarray(cv2.resize(chosen.soft_mask, (width, height)), np.float32)
            closer = resize_mask(chosen.mask, width, height)
            confirmed = overlap(closer, mask) >= closer_look.SAME_OBJECT
            mask, confidence = closer, chosen.strength
    if automatic.is_empty and confidence < LOOK_CLOSER:
        return None
    if not MIN_SUBJECT_SHARE < float(mask.mean()) < _MAX_SUBJECT_SHARE:
        return None
    sure = is_sure(confidence, automatic.agreement, confirmed=confirmed)
    return FoundObject(enlarge_soft(soft, mask, small, pixels), sure, round(confidence, 3))


def _best_closer_find(automatic: AutomaticMap, maps: SaliencyMaps, mask: Bools) -> closer_look.ObjectCandidate | None:
    """The best object of a closer look: the automatic find again, or another one with a clearly better score."""
    across, down = maps.size
    scale = min(1.0, _COMPARE_SIDE / max(across, down))
    width, height = max(1, round(across * scale)), max(1, round(down * scale))
    window_maps = closer_look.compute_window_maps(maps, mask, hide=True)
    ranked = closer_look.rank_objects(automatic, window_maps, width, height)
    if not ranked:
        return None
    own = resize_mask(mask, width, height)
    same = [one.score for one in ranked if overlap(one.mask, own) >= closer_look.SAME_OBJECT]
    best = ranked[0]
    return best if not same or best.score in same or best.score >= max(same) + _CLEARLY_BETTER else None


def _find_classically(pixels: Pixels, small: Pixels, *, may_be_sure: bool = True) -> FoundObject:
    """The classical method's find."""
    mask, agreement = _draw_best_candidate(small, shrink(pixels, candidates.LONG_SIDE))
    share = float(mask.mean())
    if not MIN_SUBJECT_SHARE < share < _MAX_SUBJECT_SHARE:
        raise NothingFoundError("nothing-found", why="size", share=round(share, 4))
    sure = may_be_sure and agreement >= _MIN_AGREEMENT
    return FoundObject(enlarge(mask, small, pixels), sure, round(min(1.0, agreement), 3), coarse=True)


def _draw_best_candidate(small: Pixels, tiny: Pixels) -> tuple[Bools, float]:
    """Choose a candidate on the tiny copy, and refine its edge on the small one; empty where there is none."""
    features = candidates.measure(tiny)
    proposed = candidates.propose(features)
    if not proposed:
        return np.zeros(small.shape[:2], bool), 0.0
    chosen, agreement = candidates.choose(features, proposed)
    larger = resize_mask(chosen, small.shape[1], small.shape[0])
    drawn = grabcut.fill_holes(grabcut.refine_edge(small, larger, _EDGE_BAND))
    return see_through.open_gaps(small, drawn), agreement
