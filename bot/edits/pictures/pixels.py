"""Masks and mattes of edits: plain functions that run in the pixel pool."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bot.edits.pictures.mask_storage import STORED_MATTE_SIDE, mask_to_store
from bot.errors import NothingFoundError, PersonError, UnusableInputError
from bot.imaging import cutout, encoding, masks
from bot.imaging.opening import open_photo
from bot.imaging.painted import find_painted
from bot.imaging.photo import Mask, Matte, Photo
from bot.imaging.pool import PixelPool
from bot.segmentation import Tap, hints, missed_edges, objects, scaling, shadow

KEEP_ERRORS = {
    "mask-empty": "keep-empty",
    "mask-everything": "keep-everything",
    "nothing-painted": "keep-nothing-painted",
    "not-the-same-photo": "keep-not-the-same-photo",
}
"""Message ids about a mask of what is erased, and the same about a mask of what stays."""


@dataclass(frozen=True, slots=True, eq=False)
class Removal:
    """What to erase so that the subject disappears.

    Attributes:
        mask: (H, W) uint8, 255 = the subject, its shadow, and a rim.
        shadow: Whether it contains a shadow.
        doubtful: Whether its shape makes it doubtful that it is what the person means.
    """

    mask: Mask
    shadow: bool
    doubtful: bool


async def open_in_pool(pool: PixelPool, path: Path, max_megapixels: float) -> Photo:
    """Open an untrusted file in a process of the pool.

    Raises:
        PersonError: What `open_photo` raises.
        WorldError: The process died, or the pool is too slow.
    """
    return await pool.run(load, path, max_megapixels, None)


def load(path: Path, max_megapixels: float, max_bytes: int | None) -> Photo:
    """Open an untrusted file; see `open_photo` for what it raises."""
    return open_photo(path, max_megapixels=max_megapixels, max_bytes=max_bytes)


def removal_mask(matte: Matte, *, coarse: bool, photo: Photo | None = None) -> Removal:
    """The mask of a subject and its rim: the matte made hard, its holes filled, dilated.

    Args:
        matte: (H, W) matte of the subject.
        coarse: Whether the matte's edge is inexact, so that it is dilated further.
        photo: The photo, to find the subject's shadow in; None: the shadow stays.

    Raises:
        NothingFoundError: The matte selects nothing.
    """
    mask = masks.fill_holes(masks.from_matte(matte))
    verdict = masks.check_shape(mask)
    if not mask.any():
        raise NothingFoundError("nothing-found")
    with_shadow = mask if photo is None else shadow.add_shadow(photo, mask)
    height, width = mask.shape
    dilated = masks.dilate(with_shadow, masks.dilation_radius(width, height, coarse=coarse))
    if photo is not None:
        dilated |= missed_edges.find_missed_edges(photo, dilated)
    return Removal(dilated, not np.array_equal(with_shadow, mask), not verdict.plausible)


def painted_mask(data: bytes, width: int, height: int, max_bytes: int, is_kept: bool = False) -> Mask:
    """An untrusted PNG as a mask of the photo's size.

    Args:
        data: The PNG; see `open_mask` for what is accepted.
        width: Of the photo, pixels.
        height: Of the photo, pixels.
        max_bytes: Larger files are refused.
        is_kept: Whether white is the subject, which stays, rather than what is erased.

    Raises:
        PersonError: As `open_mask` does; with `is_kept` ``keep-empty`` and ``keep-everything`` instead of ``mask-…``.
    """
    with _keep_errors(is_kept):
        return masks.open_mask(data, size=(width, height), max_bytes=max_bytes)


def painted_mask_to_store(data: bytes, width: int, height: int, max_bytes: int, is_kept: bool = False) -> bytes:
    """An untrusted PNG as the 1-bit PNG that is stored; arguments and errors as of `painted_mask`."""
    return mask_to_store(painted_mask(data, width, height, max_bytes, is_kept))


def painted_copy_to_mask_png(
    source: Path,
    painted: Path,
    max_megapixels: float,
    *,
    is_kept: bool = False,
    found: bytes | None = None,
    sure: bool = False,
) -> bytes:
    """The paint on a copy of a photo, as a mask: a 1-bit PNG.

    Args:
        source: The photo.
        painted: Its painted copy.
        max_megapixels: Larger pictures are refused before decoding.
        is_kept: Whether the paint marks what stays, rather than what is erased.
        found: PNG of a mask or matte that the paint is added to.
        sure: See `find_painted`.

    Raises:
        PersonError: As `find_painted` does; with `is_kept` ``keep-nothing-painted`` and ``keep-not-the-same-photo``.
    """
    original = open_photo(source, max_megapixels=max_megapixels)
    with _keep_errors(is_kept):
        mask = find_painted(original, open_photo(painted, max_megapixels=max_megapixels), sure=sure)
    if found is not None:
        mask = np.maximum(mask, masks.from_matte(read_matte(found, original.width, original.height)))
    return mask_to_store(mask)


@contextlib.contextmanager
def _keep_errors(is_kept: bool) -> Iterator[None]:
    """Replace the message ids of errors, if the mask marks what stays."""
    try:
        yield
    except PersonError as error:
        if is_kept and error.message_id in KEEP_ERRORS:
            raise type(error)(KEEP_ERRORS[error.message_id], **error.facts) from error
        raise


def read_matte(data: bytes, width: int, height: int) -> Matte:
    """A matte that `matte_to_png` wrote, scaled to the photo's size."""
    small = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if small is None:
        raise UnusableInputError("mask-broken")
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def matte_to_png(matte: Matte, side: int | None) -> bytes:
    """A matte as a grey PNG whose long side is at most `side` pixels (None: the matte's own)."""
    height, width = matte.shape
    scale = min(1.0, (side or max(width, height)) / max(width, height))
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        matte = np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    done, data = cv2.imencode(".png", matte)
    assert done
    return data.tobytes()


def background_mask(matte: Matte) -> Mask:
    """The mask of the background and a rim of the subject, so that no halo stays."""
    inverse = masks.invert(masks.from_matte(matte))
    if not inverse.any():
        raise NothingFoundError("nothing-found")
    height, width = matte.shape
    return masks.dilate(inverse, masks.dilation_radius(width, height, coarse=False))


def refine(photo: Photo, matte: Matte) -> Matte:
    """Fit the matte's edges to the photo's, hair included.

    Raises:
        NothingFoundError: The matte selects nothing.
    """
    if not masks.from_matte(matte).any():
        raise NothingFoundError("nothing-found")
    return cutout.refine_matte(photo, matte)


def is_doubtful(matte: Matte) -> bool:
    """Whether the matte's shape makes it doubtful that it is what the person means.

    Raises:
        NothingFoundError: The matte selects nothing.
    """
    verdict = masks.check_shape(masks.from_matte(matte))
    if verdict.empty:
        raise NothingFoundError("nothing-found")
    return not verdict.plausible


def find_object_mattes(
    path: Path, max_megapixels: float, models: Path | None, maps: Path | None, side: int
) -> list[bytes]:
    """The objects that stand out in a photo, best first, as matte PNGs of at most `side` pixels."""
    photo = open_photo(path, max_megapixels=max_megapixels)
    return [matte_to_png(found.matte, side) for found in objects.find_objects(photo, models, maps)]


def are_same(one: bytes, other: bytes) -> bool:
    """Whether two stored mattes or masks of one photo select nearly the same: IoU ≥ 0.7."""
    first, second = (read_matte(data, 256, 256) >= 128 for data in (one, other))
    return int(np.count_nonzero(first & second)) >= 0.7 * max(1, int(np.count_nonzero(first | second)))


def join_mattes(mattes: Sequence[bytes]) -> bytes:
    """The union of several stored mattes of one photo, as a PNG."""
    joined: Matte | None = None
    for data in mattes:
        matte = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        if matte is None or (joined is not None and matte.shape != joined.shape):
            raise UnusableInputError("mask-broken")
        joined = np.asarray(matte if joined is None else np.maximum(joined, matte), np.uint8)
    if joined is None:
        raise PersonError("mask-empty")
    return matte_to_png(joined, None)


def matte_to_mask_png(stored: bytes, is_kept: bool) -> bytes:
    """A stored matte as a mask PNG that the person edits; see `mask_to_png`.

    Args:
        stored: PNG of a matte, as `matte_to_png` wrote it.
        is_kept: Whether the subject stays, rather than being erased.
    """
    matte = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_GRAYSCALE)
    if matte is None:
        raise UnusableInputError("mask-broken")
    return mask_to_png(masks.from_matte(np.asarray(matte, dtype=np.uint8)), is_kept)


def select_png(
    path: Path,
    taps: tuple[Tap, ...],
    max_megapixels: float,
    is_kept: bool = False,
    models: Path | None = None,
    maps: Path | None = None,
) -> bytes:
    """The object that taps point at, as a mask PNG of the photo's size; see `mask_to_png`.

    It is selected at the size that the page shows, in one job of the pool, so that a tap is answered quickly.

    Args:
        path: The photo's file.
        taps: In photo pixels.
        max_megapixels: Larger photos are refused before decoding.
        is_kept: Whether the object stays, rather than being erased.
        models: Folder of learned models; None: none are used.
        maps: File in which the segmenter keeps its maps of the photo; None: it keeps none.
    """
    photo = open_photo(path, max_megapixels=max_megapixels)
    shown = Photo(scaling.shrink(photo.pixels, STORED_MATTE_SIDE))
    scale = shown.width / photo.width
    scaled = tuple(Tap(tap.x * scale, tap.y * scale, tap.keep) for tap in taps)
    found = hints.select_by_hints(shown, scaled, models=models, map_file=maps)
    return mask_to_png(masks.scale(found, photo.width, photo.height), is_kept)


def mask_to_png(mask: Mask, is_kept: bool = False) -> bytes:
    """A found mask as a 1-bit PNG that the person edits.

    A mask of what is erased is dilated, as a hand paints over an object's edge. A mask of what stays is not dilated: a
    rim of the background would stay with it.

    Args:
        mask: (H, W) uint8, 255 = the object.
        is_kept: Whether the object stays, rather than being erased.
    """
    height, width = mask.shape
    radius = 0 if is_kept else masks.dilation_radius(width, height, coarse=False)
    return encoding.encode_mask(masks.dilate(mask, radius))
