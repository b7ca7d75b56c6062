"""The editor's pixel work: plain functions that run in the pool, one for each turn between two answers of an engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bot.errors import NothingFoundError, PersonError, UnusableInputError
from bot.imaging import backdrop, compositing, cutout, encoding, masks, numbering
from bot.imaging.opening import open_photo
from bot.imaging.painted import find_painted
from bot.imaging.photo import Mask, Matte, Photo, PictureFormat, Pixels
from bot.segmentation import Tap, hints, missed_edges, objects, scaling, shadow

FEATHER = 2.0
"""Standard deviation in pixels of the blend at a mask's rim; facts: 2–3 px, inside the mask only."""

STORED_MATTE_SIDE = 2048
"""Long side in pixels that a matte is kept at: the Mini App shows no more, and it is scaled back with antialiasing."""


KEEPING = {
    "mask-empty": "keep-empty",
    "mask-everything": "keep-everything",
    "nothing-painted": "keep-nothing-painted",
    "not-the-same-photo": "keep-not-the-same-photo",
}
"""What is wrong with a mask of what is erased, and the same of a mask of what stays."""

SHOWN_RATIO = 12
"""Of a picture that only asks: narrower ones get bands."""

SHOWN_SIDE = 1280
"""Long side in pixels of a picture that only asks: as large as Telegram shows a photo in a chat."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written to a file."""

    format: PictureFormat
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Removal:
    """What is to be erased so that the subject is gone.

    Attributes:
        mask: (H, W) the subject, its shadow, and a rim.
        shadow: Whether a shadow is among it.
        doubtful: Whether its shape makes it doubtful that this is what the person means.
    """

    mask: Mask
    shadow: bool
    doubtful: bool


def load(path: Path, max_megapixels: float, max_bytes: int | None) -> Photo:
    """Open a stranger's file; see `open_photo` for what it raises."""
    return open_photo(path, max_megapixels=max_megapixels, max_bytes=max_bytes)


def removal_mask(matte: Matte, *, coarse: bool, photo: Photo | None = None) -> Removal:
    """What to erase so that no rim of the subject stays: the matte made hard, its holes filled, widened.

    Args:
        matte: (H, W) matte of the subject.
        coarse: Whether its rim is not to be trusted, so that it is widened further.
        photo: The photo, for the subject's shadow to be taken along; None: it stays.

    Raises:
        NothingFoundError: The matte selects nothing.
    """
    mask = masks.fill_holes(masks.from_matte(matte))
    verdict = masks.check_shape(mask)
    if not mask.any():
        raise NothingFoundError("nothing-found")
    whole = mask if photo is None else shadow.add_shadow(photo, mask)
    height, width = mask.shape
    widened = masks.dilate(whole, masks.dilation_radius(width, height, coarse=coarse))
    if photo is not None:
        widened |= missed_edges.find_missed_edges(photo, widened)
    return Removal(widened, not np.array_equal(whole, mask), not verdict.plausible)


def painted_mask(data: bytes, width: int, height: int, max_bytes: int, keeps: bool = False) -> Mask:
    """A stranger's PNG as a mask of the photo's size.

    Args:
        data: The PNG; see `open_mask` for what is taken.
        width: Of the photo, pixels.
        height: Of the photo, pixels.
        max_bytes: Larger files are refused unread.
        keeps: Whether white is the subject, which stays, rather than what is erased.

    Raises:
        PersonError: As `open_mask` does; with `keeps` ``keep-empty`` and ``keep-everything`` stand for ``mask-…``.
    """
    with _in_words_for_keeping(keeps):
        return masks.open_mask(data, size=(width, height), max_bytes=max_bytes)


def painted_png(
    source: Path, painted: Path, max_megapixels: float, *, keeps: bool = False, found: bytes | None = None
) -> bytes:
    """What was painted on a copy of a photo, as a 1-bit PNG.

    Args:
        source: The photo.
        painted: Its painted copy.
        max_megapixels: Larger pictures are refused before decoding.
        keeps: Whether the paint says what stays, rather than what is erased.
        found: A PNG of what stays already, a mask or a matte: what was painted joins it.

    Raises:
        PersonError: As `find_painted` does; with `keeps` ``keep-nothing-painted`` and ``keep-not-the-same-photo``.
    """
    original = open_photo(source, max_megapixels=max_megapixels)
    with _in_words_for_keeping(keeps):
        mask = find_painted(original, open_photo(painted, max_megapixels=max_megapixels))
    if found is not None:
        mask = np.maximum(mask, masks.from_matte(stored_matte(found, original.width, original.height)))
    return encoding.encode_mask(mask)


@contextlib.contextmanager
def _in_words_for_keeping(keeps: bool) -> Iterator[None]:
    """Where the mask is of what stays, another text says what is wrong with it."""
    try:
        yield
    except PersonError as error:
        if keeps and error.message_id in KEEPING:
            raise type(error)(KEEPING[error.message_id], **error.facts) from error
        raise


def stored_matte(data: bytes, width: int, height: int) -> Matte:
    """A matte that `small_matte` wrote, scaled back to the photo's size."""
    small = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if small is None:
        raise UnusableInputError("mask-broken")
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def small_matte(matte: Matte, side: int | None) -> bytes:
    """A matte as a grey PNG whose long side is at most `side` (None: as it is), to be stored with its edit."""
    height, width = matte.shape
    scale = min(1.0, (side or max(width, height)) / max(width, height))
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        matte = np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    done, data = cv2.imencode(".png", matte)
    assert done
    return data.tobytes()


def erase(photo: Photo, filled: Photo, mask: Mask, target: Path, file_format: PictureFormat | None) -> Written:
    """Paste the filled pixels through the feathered mask and write the picture.

    Outside the mask every pixel is the photo's own.
    """
    whole = compositing.composite(photo, filled, masks.feather_inside(mask, FEATHER))
    return write(whole, target, file_format)


def background_mask(matte: Matte) -> Mask:
    """What to fill when the background goes: all that is not subject, and a rim of it, so that no halo stays."""
    inverse = masks.invert(masks.from_matte(matte))
    if not inverse.any():
        raise NothingFoundError("nothing-found")
    height, width = matte.shape
    return masks.dilate(inverse, masks.dilation_radius(width, height, coarse=False))


def refine(photo: Photo, matte: Matte) -> Matte:
    """The matte with its edges drawn along the photo's, hair included.

    Raises:
        NothingFoundError: The matte selects nothing.
    """
    if not masks.from_matte(matte).any():
        raise NothingFoundError("nothing-found")
    return cutout.refine_matte(photo, matte)


def is_doubtful(matte: Matte) -> bool:
    """Whether the matte's shape makes it doubtful that it is the subject.

    Raises:
        NothingFoundError: The matte selects nothing.
    """
    verdict = masks.check_shape(masks.from_matte(matte))
    if verdict.empty:
        raise NothingFoundError("nothing-found")
    return not verdict.plausible


def replace_background(
    photo: Photo, matte: Matte, new: Photo | str, target: Path, file_format: PictureFormat | None, seed: int
) -> Written:
    """Put the subject before something else and write the picture.

    Args:
        photo: The photo.
        matte: (H, W) matte of the subject.
        new: ``clean`` (a backdrop from the background's own colours), ``transparent``, ``white``, ``blur``,
            ``#rrggbb``, or the picture that stands behind (an inpainted background, the person's own).
        target: The file to write.
        file_format: Its format; None: the photo's own.
        seed: For variants of the clean backdrop.
    """
    subject = cutout.cut_out(photo, matte)
    if new == "transparent":
        return write(subject, target, file_format)
    if isinstance(new, str) and (new == "white" or new.startswith("#")):
        return write(cutout.flatten(subject, colour(new)), target, file_format)
    if isinstance(new, Photo):
        behind = new if new.pixels.shape == photo.pixels.shape else backdrop.picture_backdrop(photo, new)
    elif new == "blur":
        behind = backdrop.blurred_backdrop(photo, matte)
    else:
        behind = backdrop.clean_backdrop(photo, matte, seed=seed)
    return write(compositing.composite(behind, subject, matte), target, file_format)


def colour(finish: str) -> tuple[int, int, int]:
    """``white`` or ``#rrggbb`` as red, green, blue of 0 … 255."""
    if finish == "white":
        return (255, 255, 255)
    value = int(finish.removeprefix("#"), 16)
    return (value >> 16, value >> 8 & 255, value & 255)


def write(photo: Photo, target: Path, file_format: PictureFormat | None) -> Written:
    """Encode a picture into a file; None: in its own format."""
    chosen = file_format or photo.format
    target.write_bytes(encoding.encode(photo, chosen))
    return Written(chosen, photo.width, photo.height)


def preview(path: Path, max_megapixels: float, long_side: int) -> bytes:
    """A picture as a JPEG whose long side is at most so long."""
    return encoding.encode_preview(open_photo(path, max_megapixels=max_megapixels), long_side)


def pointed_out(path: Path, stored: bytes, max_megapixels: float, long_side: int) -> bytes:
    """A picture in which a stored matte's subject is pointed out, as a JPEG whose long side is at most so long."""
    photo = open_photo(path, max_megapixels=max_megapixels)
    matte = stored_matte(stored, photo.width, photo.height)
    picture = _as_shown(masks.highlight_subject(photo.pixels, masks.from_matte(matte)))
    return encoding.encode_preview(Photo(picture, icc_profile=photo.icc_profile), long_side)


def found_things(path: Path, max_megapixels: float, models: Path | None, maps: Path | None, side: int) -> list[bytes]:
    """The things that stand out in a photo, best first, each as a matte PNG whose long side is at most `side`."""
    photo = open_photo(path, max_megapixels=max_megapixels)
    return [small_matte(found.matte, side) for found in objects.find_objects(photo, models, maps)]


def numbered(path: Path, mattes: Sequence[bytes], max_megapixels: float, long_side: int) -> bytes:
    """A photo in which the things of stored mattes are outlined and numbered, as a JPEG."""
    small = encoding.encode_preview(open_photo(path, max_megapixels=max_megapixels), long_side)
    shown = open_photo(small, max_megapixels=max_megapixels)
    found = [masks.from_matte(stored_matte(matte, shown.width, shown.height)) for matte in mattes]
    picture = _as_shown(numbering.draw_numbered_outlines(shown.pixels, found))
    return encoding.encode_preview(Photo(picture, icc_profile=shown.icc_profile), long_side)


def are_same(one: bytes, other: bytes) -> bool:
    """Whether two stored mattes or masks of one photo select nearly the same: an overlap of at least 0.7."""
    first, second = (stored_matte(data, 256, 256) >= 128 for data in (one, other))
    return int(np.count_nonzero(first & second)) >= 0.7 * max(1, int(np.count_nonzero(first | second)))


def _as_shown(pixels: Pixels) -> Pixels:
    """A picture with bands added where it is too narrow for a chat (Bot API, sendPhoto: at most 20 to 1)."""
    height, width = pixels.shape[:2]
    down, across = max(0, width // SHOWN_RATIO - height), max(0, height // SHOWN_RATIO - width)
    if not down and not across:
        return pixels
    bands = (down // 2, down - down // 2, across // 2, across - across // 2)
    return np.asarray(cv2.copyMakeBorder(pixels, *bands, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8)


def joined_mattes(mattes: Sequence[bytes]) -> bytes:
    """Stored mattes of one photo as one: what any of them selects."""
    joined: Matte | None = None
    for data in mattes:
        matte = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        if matte is None or (joined is not None and matte.shape != joined.shape):
            raise UnusableInputError("mask-broken")
        joined = np.asarray(matte if joined is None else np.maximum(joined, matte), np.uint8)
    if joined is None:
        raise PersonError("mask-empty")
    return small_matte(joined, None)


def found_png(stored: bytes, keeps: bool) -> bytes:
    """A stored matte of the subject as `mask_png` gives it, for the page to begin with.

    Args:
        stored: PNG of a matte, as `small_matte` wrote it.
        keeps: Whether the subject stays, rather than goes.
    """
    matte = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_GRAYSCALE)
    if matte is None:
        raise UnusableInputError("mask-broken")
    return mask_png(masks.from_matte(np.asarray(matte, dtype=np.uint8)), keeps)


def selected_png(
    path: Path,
    taps: tuple[Tap, ...],
    max_megapixels: float,
    keeps: bool = False,
    models: Path | None = None,
    maps: Path | None = None,
) -> bytes:
    """The thing that taps (in photo pixels) point at, as `mask_png` gives it, at the photo's size.

    One turn in the pool, and no larger than the page shows it: a tap is answered while the finger still waits.

    Args:
        path: The photo's file.
        taps: In photo pixels.
        max_megapixels: Larger photos are refused before decoding.
        keeps: Whether the thing stays, rather than goes; see `mask_png`.
        models: Folder of learned models; None: none are used.
        maps: File in which the segmenter keeps what it saw in the photo; None: it keeps nothing.
    """
    photo = open_photo(path, max_megapixels=max_megapixels)
    shown = Photo(scaling.shrink(photo.pixels, STORED_MATTE_SIDE))
    scale = shown.width / photo.width
    scaled = tuple(Tap(tap.x * scale, tap.y * scale, tap.keep) for tap in taps)
    found = hints.select_by_hints(shown, scaled, models=models, map_file=maps)
    return mask_png(masks.scale(found, photo.width, photo.height), keeps)


def mask_png(mask: Mask, keeps: bool = False) -> bytes:
    """A found mask as a 1-bit PNG for a person to go on with.

    What is to be erased is widened, as a hand would paint over the thing's rim. What stays is the thing itself: a rim
    of the background would stay with it.

    Args:
        mask: (H, W) uint8, 255 = the thing.
        keeps: Whether it stays, rather than goes.
    """
    height, width = mask.shape
    radius = 0 if keeps else masks.dilation_radius(width, height, coarse=False)
    return encoding.encode_mask(masks.dilate(mask, radius))


def format_of(path: Path) -> PictureFormat:
    """The format that one of our own results is in."""
    start = path.open("rb").read(12)
    if start.startswith(b"\x89PNG"):
        return "PNG"
    return "WEBP" if start[8:12] == b"WEBP" else "JPEG"
