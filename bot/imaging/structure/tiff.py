"""The pages of a TIFF file (Adobe, TIFF 6.0), and which of them is the photo."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bot.errors import UnusableInputError

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_BIG = (b"+\0", b"\0+")
"""What marks a BigTIFF, whose offsets have 8 bytes."""

MAX_PAGES = 200
MAX_TAGS = 1_000
"""Tags of one page; real pages have twenty to a hundred."""

MAX_ALL_TAGS = 20_000
"""Tags of all pages, those inside of pages too, where many pages may point to the same one."""

MAX_SCANS_OF_SEGMENT = 2
MAX_SCANS = 300
"""Scans for each tile or strip that is a JPEG file (one is usual), besides what any file may have: libtiff decodes a
progressive JPEG of 100 scans in 5 s."""

MAX_SEGMENTS = 200_000
"""Tiles or strips of one page: a strip for each row of a 50-megapixel picture is far below."""

MAX_SEGMENT_PIXELS = 100_000_000
"""Pixels of one tile or strip, beyond those of the picture itself. Decoders make room for a whole tile: a picture of
100 × 100 with a tile of 26,000 × 26,000 took 1.94 GB."""

_WIDTH, _HEIGHT, _PHOTOMETRIC, _SUBFILE, _SUBFILE_OLD = 256, 257, 262, 254, 255
_ROWS_PER_STRIP, _STRIP_OFFSETS, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS = 278, 273, 322, 323, 324
_SUB_PAGES, _DNG_VERSION = 330, 50706
_COMPRESSION, _JPEG = 259, (6, 7)
_COLOUR_FILTER_ARRAY, _LINEAR_RAW = 32803, 34892
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a value of each type."""


@dataclass(frozen=True, slots=True)
class _Page:
    """One page's tags: the count of values, and the first value, of each tag whose values are whole numbers."""

    counts: dict[int, int]
    firsts: dict[int, int]
    offsets: list[int]
    tags: int

    @property
    def area(self) -> int:
        return self.firsts.get(_WIDTH, 0) * self.firsts.get(_HEIGHT, 0)

    @property
    def is_reduced(self) -> bool:
        """Whether it calls itself a reduced version of another page (NewSubfileType bit 0, SubfileType 2)."""
        return bool(self.firsts.get(_SUBFILE, 0) & 1) or self.firsts.get(_SUBFILE_OLD) == 2

    @property
    def is_mask(self) -> bool:
        """Whether it is the transparency of another page (NewSubfileType bit 2)."""
        return bool(self.firsts.get(_SUBFILE, 0) & 4)

    @property
    def is_raw(self) -> bool:
        return self.firsts.get(_PHOTOMETRIC) in (_COLOUR_FILTER_ARRAY, _LINEAR_RAW)


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Where the photo lies.

    Attributes:
        data: The file; if the photo is a sub-page, the file with that sub-page in place of the first page.
        number: The photo's page, from 0.
        pictures: How many pages hold a picture; previews and masks are not counted.
    """

    data: bytes
    number: int = 0
    pictures: int = 1


def find_photo(data: bytes) -> FoundPage:
    """Find the page that holds the photo: the first page, unless it is a preview of a larger one.

    Raises:
        UnusableInputError: ``photo-raw``: the photo is raw sensor data.
            ``photo-too-complex``: too many pages, tags, tiles or strips, or too large ones.
    """
    pages = list(_pages(data))
    for page in pages:
        _check(page)
    _check_scans(data, pages)
    if not pages:
        return FoundPage(data)
    inner = []
    tags = sum(page.tags for page in pages)
    for offset in {offset for page in pages for offset in page.offsets}:
        for sub in _pages(data, offset, limit=1):
            _check(sub)
            inner.append((offset, sub))
            tags += sub.tags
        if tags > MAX_ALL_TAGS:
            raise UnusableInputError("photo-too-complex", tags=tags)
    everything = [*pages, *(sub for _, sub in inner)]
    if any(page.counts.get(_DNG_VERSION) for page in everything) or any(page.is_raw for page in everything):
        raise UnusableInputError("photo-raw")
    first = pages[0]
    pictures = sum(not page.is_reduced and not page.is_mask for page in pages)
    chosen = 0
    if first.is_reduced or first.is_mask:
        whole = [number for number, page in enumerate(pages) if not page.is_mask]
        chosen = max(whole, key=lambda number: pages[number].area, default=0)
    larger = [pair for pair in inner if not pair[1].is_mask and pair[1].area > pages[chosen].area]
    if larger:
        offset, _ = max(larger, key=lambda pair: pair[1].area)
        return FoundPage(_with_first_page(data, offset), pictures=max(1, pictures))
    return FoundPage(data, chosen, max(1, pictures))


def _with_first_page(data: bytes, offset: int) -> bytes:
    """The file, whose header points to the page at `offset`."""
    order = "<" if data[:2] == b"II" else ">"
    if data[2:4] in _BIG:
        return data[:8] + struct.pack(f"{order}Q", offset) + data[16:]
    return data[:4] + struct.pack(f"{order}I", offset) + data[8:]


def _check(page: _Page) -> None:
    tile = page.firsts.get(_TILE_WIDTH, 0) * page.firsts.get(_TILE_HEIGHT, 0)
    strip = page.firsts.get(_WIDTH, 0) * min(page.firsts.get(_ROWS_PER_STRIP, 0), page.firsts.get(_HEIGHT, 0))
    segments = max(page.counts.get(_STRIP_OFFSETS, 0), page.counts.get(_TILE_OFFSETS, 0))
    # A tile may reach beyond the picture, but a tile of many times its size is no way to store it.
    tile_is_large = tile > max(4 * page.area, 1_000_000)
    if segments > MAX_SEGMENTS or max(tile, strip) > MAX_SEGMENT_PIXELS or tile_is_large:
        raise UnusableInputError("photo-too-complex", segments=segments, tile=tile)


def _check_scans(data: bytes, pages: list[_Page]) -> None:
    if all(page.firsts.get(_COMPRESSION) not in _JPEG for page in pages):
        return
    segments = sum(max(page.counts.get(_STRIP_OFFSETS, 0), page.counts.get(_TILE_OFFSETS, 0)) for page in pages)
    scans = data.count(b"\xff\xda")
    if scans > MAX_SCANS + MAX_SCANS_OF_SEGMENT * segments:
        raise UnusableInputError("photo-too-complex", scans=scans)


def _pages(data: bytes, start: int | None = None, limit: int = MAX_PAGES) -> Iterator[_Page]:
    """The pages, one after another; what is damaged ends them and is left to the decoder to refuse."""
    order = "<" if data[:2] == b"II" else ">"
    is_big = data[2:4] in _BIG
    offset_form, count_form, entry_size = (f"{order}Q", f"{order}Q", 20) if is_big else (f"{order}I", f"{order}H", 12)
    seen: set[int] = set()
    tags = 0
    try:
        offset = start if start is not None else struct.unpack_from(offset_form, data, 8 if is_big else 4)[0]
        while offset and offset not in seen and len(seen) < limit:
            seen.add(offset)
            count = struct.unpack_from(count_form, data, offset)[0]
            tags += count
            if count > MAX_TAGS or tags > MAX_ALL_TAGS:
                raise UnusableInputError("photo-too-complex", tags=tags)
            first = offset + struct.calcsize(count_form)
            yield _read_page(data, order, is_big=is_big, first=first, count=count)
            offset = struct.unpack_from(offset_form, data, first + count * entry_size)[0]
            if offset and len(seen) >= MAX_PAGES:
                raise UnusableInputError("photo-too-complex", pages=len(seen))
    except struct.error:
        return


def _read_page(data: bytes, order: str, *, is_big: bool, first: int, count: int) -> _Page:
    page = _Page({}, {}, [], count)
    entry_size, inline = (20, 8) if is_big else (12, 4)
    for number in range(count):
        entry = first + number * entry_size
        tag, kind, values = struct.unpack_from(f"{order}HH{'Q' if is_big else 'I'}", data, entry)
        page.counts[tag] = values
        form = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(kind)
        if form is None or not values:
            continue
        field = entry + entry_size - inline
        if _SIZES[kind] * values > inline:
            field = struct.unpack_from(f"{order}{'Q' if is_big else 'I'}", data, field)[0]
        page.firsts[tag] = struct.unpack_from(f"{order}{form}", data, field)[0]
        if tag == _SUB_PAGES:
            page.offsets.extend(struct.unpack_from(f"{order}{min(values, 16)}{form}", data, field))
    return page
