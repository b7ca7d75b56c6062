"""What the Mini App may ask for: the photo, the mask, a selection, progress, the result, and further rounds.

The first mask that is submitted for a waiting edit belongs to that edit. Each later one starts a new edit, a round: on
the last result if the person continues erasing, on the photo if an automatic result is corrected by hand.

A mask is white where something is erased. For a /remove_background it is white where the subject is, which stays, as
on the command line: a cut-out is corrected as a cut-out, and each round cuts out the photo itself.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from weakref import WeakValueDictionary

from bot.edits.model import MAX_MASK_BYTES, Edit, Operation, PhotoRef, Stage, State
from bot.edits.pictures import chat_pictures, pixels, results
from bot.edits.pictures.files import EditFiles
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.service import Edits
from bot.edits.shown_results import ShownResults
from bot.errors import PersonError, UnusableInputError
from bot.imaging.photo import PictureFormat
from bot.imaging.pool import PixelPool
from bot.imaging.turns import on_behalf_of
from bot.segmentation import Tap

PREVIEW_SIDE = 2048
"""Long side in pixels of what the page shows: phones limit canvas memory (docs/telegram.md#canvas-memory)."""

PREVIEW_SIDES = (768, 1152, 1536, PREVIEW_SIDE)
"""What the page may ask for: few, so that a picture is scaled a bounded number of times."""

POLL_SECONDS = 0.25
"""Seconds between looks at an edit whose progress is shown; it may run on another machine."""

MAX_TAPS = 64
"""Further taps are ignored."""

MAX_UNUSABLE = 1_000
"""Edits whose photo is remembered as unusable."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change in the progress of an edit.

    Attributes:
        kind: What happened.
        stage: For ``stage``: the stage.
        position: For ``queued``: how many edits are ahead.
        error: For ``failed``: message id of the error.
    """

    kind: Literal["waiting", "queued", "stage", "done", "failed", "cancelled"]
    stage: Stage | None = None
    position: int | None = None
    error: str | None = None


class Canvas:
    """What the Mini App may ask for. `own` checks the owner; the other methods take the edit that it returned.

    Args:
        store: The store.
        edits: Queues and stops edits.
        files: Fetches photos and results.
        pool: Runs the pixel work.
        max_megapixels: Larger photos are refused before decoding.
        shown: Shows stored results in the chat.
        models: Folder of learned models; None: none are used.
    """

    def __init__(
        self,
        store: Store,
        edits: Edits,
        files: EditFiles,
        pool: PixelPool,
        shown: ShownResults,
        *,
        max_megapixels: float,
        models: Path | None = None,
    ) -> None:
        self._store = store
        self._edits = edits
        self._files = files
        self._pool = pool
        self._shown = shown
        self._max_megapixels = max_megapixels
        self._models = models
        self._measuring: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._unusable: OrderedDict[str, UnusableInputError] = OrderedDict()

    async def own(self, edit_id: str, person: int) -> Edit | None:
        """The person's edit, with the size of its photo; None if it does not exist or belongs to another person.

        The owner is checked before the photo is fetched, so a guessed id costs nothing.
        """
        edit = await self._store.get(edit_id)
        return await self._measured(edit) if edit is not None and edit.person == person else None

    async def cancel(self, edit: Edit) -> None:
        """Stop the edit, queued or running.

        Raises:
            PersonError: ``too-late`` if it is being delivered or has ended.
        """
        await self._edits.stop(edit)

    async def _measured(self, edit: Edit) -> Edit | None:
        """The edit with the size of its photo, which is opened once: a failure is remembered, too."""
        if edit.width is not None:
            return edit
        measuring = self._measuring.setdefault(edit.id, asyncio.Lock())
        async with measuring:
            current = await self._store.get(edit.id)
            if current is None or current.width is not None:
                return current
            known = self._unusable.get(edit.id)
            if known is not None:
                raise known
            path = await self._files.fetch(edit.photo)
            try:
                with on_behalf_of(edit.person):
                    photo = await pixels.open_in_pool(self._pool, path, self._max_megapixels)
            except UnusableInputError as error:
                self._unusable[edit.id] = error
                while len(self._unusable) > MAX_UNUSABLE:
                    self._unusable.popitem(last=False)
                raise
            return await self._store.change(edit.id, width=photo.width, height=photo.height)

    async def photo_preview(self, edit: Edit, side: int = PREVIEW_SIDE) -> bytes:
        """The photo as a JPEG whose long side is at most `side` pixels."""
        path = await self._files.fetch(edit.photo)
        with on_behalf_of(edit.person):
            return await self._pool.run(chat_pictures.preview, path, self._max_megapixels, side)

    async def mask(self, edit: Edit) -> bytes | None:
        """The stored mask as a PNG: painted, or found by segmentation. None if there is none.

        White = erase, and a found object is dilated. For a /remove_background white = the subject, not dilated.
        """
        stored = await self._store.mask(edit.id)
        if stored is None:
            return None
        if not stored.is_matte:
            return stored.png
        with on_behalf_of(edit.person):
            return await self._pool.run(pixels.matte_to_mask_png, stored.png, edit.mask_is_kept)

    async def submit_mask(self, edit: Edit, png: bytes, *, key: str | None, on_photo: bool = False) -> Edit:
        """Check a painted mask, and queue the edit or its next round.

        Args:
            edit: The edit whose page the mask was painted on.
            png: Untrusted bytes; white = erase, or for a /remove_background the subject.
            key: A repeated key is the same submission; None: the mask itself is the key.
            on_photo: Whether a further round works on the edit's photo even if there is a result, because the person
                undid it.

        Raises:
            PersonError: ``mask-…``, ``keep-…`` (the same for a mask of what stays), ``too-old``, ``still-working``,
                and what `Edits.submit` raises.
        """
        current = await self._store.get(edit.id)
        current = await self._measured(current) if current is not None else None
        if current is None:
            raise PersonError("too-old")
        assert current.width is not None
        assert current.height is not None
        size = (current.width, current.height)
        with on_behalf_of(edit.person):
            mask = await self._pool.run(pixels.painted_mask_to_store, png, *size, MAX_MASK_BYTES, current.mask_is_kept)
        identity = f"{key or hashlib.sha256(png).hexdigest()}{':photo' if on_photo else ''}"
        submission = hashlib.sha256(identity.encode()).hexdigest()
        if current.state is State.WAITING_FOR_MASK:
            queued = await self._edits.queue_with_mask(current.id, mask, submission)
            if queued is not None:
                return queued
            current = await self._store.get(current.id) or current  # another submission was faster
        if await self._store.queueing.was_submitted_as(current.id, submission):
            return current  # a repeated upload: the answer to the first one was lost
        photo = current.photo if on_photo else self._base_of(current)
        request = EditRequest.erase_round(current, submission=submission, photo=photo, mask=mask)
        known = await self._store.by_key(request.key)
        if known is not None:
            return known
        if not current.state.is_final or (await self._store.variants.unfinished_in_message(current))[0]:
            raise PersonError("still-working")
        next_round, _ = await self._edits.submit(request)
        return next_round

    async def show(self, edit: Edit, *, photo: bool = False) -> None:
        """Show in the chat what the page shows after a round was undone or redone: an edit's result, or its photo.

        Args:
            edit: The edit whose result it is. One without a result is shown as it is already.
            photo: Whether the page shows the photo instead.
        """
        pending, _ = await self._store.variants.unfinished_in_message(edit)
        if edit.result is not None and edit.state.is_final and not pending:
            self._shown.show(edit, edit, original=photo)

    async def previous(self, edit: Edit) -> str | None:
        """Id of the cut-out that an edit corrects; None if it has the mask of its parent, as another finish has."""
        if edit.parent is None or not edit.mask_is_kept:
            return edit.parent
        return edit.parent if await self._store.mask(edit.parent) != await self._store.mask(edit.id) else None

    def _base_of(self, edit: Edit) -> PhotoRef:
        """What a further round works on: the last result, or the photo of a cut-out or an automatic edit."""
        if edit.operation is not Operation.ERASE or edit.result is None:
            return edit.photo
        return replace(edit.photo, file_id=edit.result.file_id, unique_id=edit.result.unique_id, size=None)

    async def select(self, edit: Edit, taps: Sequence[Tap], *, on_photo: bool = False) -> bytes:
        """The object that the taps point at, as a mask PNG of the photo's size.

        The mask is dilated as in `mask`.

        Args:
            edit: The edit.
            taps: In pixels of the photo; at most `MAX_TAPS` count.
            on_photo: As in `submit_mask`.
        """
        photo = edit.photo if on_photo else self._base_of(edit)
        path, maps = await self._files.fetch(photo), self._files.maps_of(photo)
        with on_behalf_of(edit.person):
            found = await self._pool.run(
                pixels.select_png,
                path,
                tuple(taps[:MAX_TAPS]),
                self._max_megapixels,
                edit.mask_is_kept,
                self._models,
                maps,
            )
        if await self._store.get(edit.id) is None:  # deleted in the meantime: delete the segmenter's maps too
            await asyncio.to_thread(maps.unlink, missing_ok=True)
        return found

    async def events(self, edit: Edit) -> AsyncIterator[Event]:
        """The progress of the edit, from now until it ends."""
        last: Event | None = None
        while True:
            current = await self._store.get(edit.id)
            if current is None:
                return
            event = await self._event(current)
            if event != last:
                last = event
                yield event
            if current.state.is_final:
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _event(self, edit: Edit) -> Event:
        if edit.state in (State.WAITING_FOR_MASK, State.WAITING_FOR_CHOICE):
            return Event("waiting")
        if edit.state is State.QUEUED:
            return Event("queued", position=(await self._store.place(edit)).ahead)
        if edit.state is State.RUNNING:
            return Event("stage", stage=edit.stage or Stage.FETCHING)
        if edit.state is State.FAILED:
            return Event("failed", error=edit.error)
        return Event("done" if edit.state is State.DONE else "cancelled")

    async def result(self, edit: Edit) -> tuple[bytes, PictureFormat]:
        """The result at full resolution and its format.

        Raises:
            PersonError: ``still-working``, ``too-old``.
        """
        if edit.state is not State.DONE or edit.result is None:
            raise PersonError("still-working")
        path = await self._files.fetch_result(edit)
        data = await asyncio.to_thread(path.read_bytes)
        return data, results.format_of(data)

    async def result_preview(self, edit: Edit, side: int = PREVIEW_SIDE) -> bytes:
        """The result as a JPEG whose long side is at most `side` pixels.

        Raises:
            PersonError: ``still-working``, ``too-old``.
        """
        if edit.state is not State.DONE or edit.result is None:
            raise PersonError("still-working")
        path = await self._files.fetch_result(edit)
        with on_behalf_of(edit.person):
            return await self._pool.run(chat_pictures.preview, path, self._max_megapixels, side)
