"""A Canvas in memory that behaves like the real one, without a database and Telegram.

It checks masks with the real pixel functions and answers with real pictures.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from bot.edits.canvas import PREVIEW_SIDE, Event
from bot.edits.model import MAX_MASK_BYTES, Edit, Operation, PhotoRef, State
from bot.edits.pictures import pixels
from bot.errors import PersonError
from bot.imaging import encoding
from bot.imaging.photo import Photo, PictureFormat
from bot.segmentation import Tap

WIDTH, HEIGHT = 320, 240


def make_edit(edit_id: str, person: int, **values: object) -> Edit:
    edit = Edit(
        id=edit_id,
        person=person,
        chat=person,
        message=7,
        operation=Operation.ERASE,
        photo=PhotoRef("file", "unique"),
        finish="clean",
        seed=0,
        language="en",
        state=State.WAITING_FOR_MASK,
        stage=None,
        status_message=8,
        has_mask=False,
        result=None,
        engine=None,
        error=None,
        parent=None,
        width=WIDTH,
        height=HEIGHT,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        requested=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return replace(edit, **values)


def mask_png(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : height // 2, width // 4 : width // 2] = 255
    return encoding.encode_mask(mask)


class CanvasDouble:
    """Replaces `bot.edits.canvas.Canvas`."""

    def __init__(self) -> None:
        self.edits: dict[str, Edit] = {}
        self.masks: dict[str, bytes] = {}
        self.rounds: dict[tuple[str, str], str] = {}
        self.shown: list[tuple[str, bool]] = []
        self.on_photo: dict[str, bool] = {}
        self.taps: list[Tap] = []
        self.previews: list[int] = []
        self.selected_on_photo = False
        self.events_of: dict[str, asyncio.Queue[Event | Exception | None]] = {}
        self.planned_error: Exception | None = None
        self.watching = 0
        self._watchers_changed = asyncio.Event()

    def add(self, edit: Edit) -> Edit:
        self.edits[edit.id] = edit
        self.events_of[edit.id] = asyncio.Queue()
        return edit

    def finish(self, edit_id: str) -> None:
        self.edits[edit_id] = replace(self.edits[edit_id], state=State.DONE, result=PhotoRef("result", "result"))

    async def own(self, edit_id: str, person: int) -> Edit | None:
        edit = self.edits.get(edit_id)
        return edit if edit is not None and edit.person == person else None

    async def cancel(self, edit: Edit) -> None:
        if self.edits[edit.id].state.is_final:
            raise PersonError("too-late")
        self.edits[edit.id] = replace(edit, state=State.CANCELLED)

    async def show(self, edit: Edit, *, photo: bool = False) -> None:
        self.shown.append((edit.id, photo))

    async def previous(self, edit: Edit) -> str | None:
        return edit.parent

    async def photo_preview(self, edit: Edit, side: int = PREVIEW_SIDE) -> bytes:
        self._raise_planned_error()
        self.previews.append(side)
        return encoding.encode_preview(_photo(edit), side)

    async def mask(self, edit: Edit) -> bytes | None:
        return self.masks.get(edit.id)

    async def submit_mask(self, edit: Edit, png: bytes, *, key: str | None, on_photo: bool = False) -> Edit:
        self._raise_planned_error()
        pixels.painted_mask(png, WIDTH, HEIGHT, MAX_MASK_BYTES)
        submission = key or hashlib.sha256(png).hexdigest()
        known = self.rounds.get((edit.id, submission))
        if known is not None:
            return self.edits[known]
        current = self.edits[edit.id]
        if current.state is State.WAITING_FOR_MASK:
            started = replace(current, state=State.QUEUED, has_mask=True)
            self.edits[edit.id] = started
        elif current.state.is_final:
            started = self.add(make_edit(f"{edit.id}-round{len(self.rounds)}", edit.person, parent=edit.id))
        else:
            raise PersonError("still-working")
        self.masks[started.id] = png
        self.rounds[edit.id, submission] = started.id
        self.on_photo[started.id] = on_photo
        return started

    async def select(self, edit: Edit, taps: Sequence[Tap], *, on_photo: bool = False) -> bytes:
        self._raise_planned_error()
        self.taps, self.selected_on_photo = list(taps), on_photo
        return mask_png()

    async def events(self, edit: Edit) -> AsyncIterator[Event]:
        self.watching += 1
        self._watchers_changed.set()
        try:
            while (event := await self.events_of[edit.id].get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.watching -= 1
            self._watchers_changed.set()

    async def watched_by(self, count: int) -> None:
        async with asyncio.timeout(60):
            while self.watching != count:
                self._watchers_changed.clear()
                await self._watchers_changed.wait()

    async def result(self, edit: Edit) -> tuple[bytes, PictureFormat]:
        if edit.result is None:
            raise PersonError("still-working")
        return encoding.encode(_photo(edit), "PNG"), "PNG"

    async def result_preview(self, edit: Edit, side: int = PREVIEW_SIDE) -> bytes:
        if edit.result is None:
            raise PersonError("still-working")
        self.previews.append(side)
        return encoding.encode_preview(_photo(edit), side)

    def _raise_planned_error(self) -> None:
        if self.planned_error is not None:
            raise self.planned_error


def _photo(edit: Edit) -> Photo:
    assert edit.width is not None
    assert edit.height is not None
    return Photo(np.full((edit.height, edit.width, 3), 128, np.uint8))
