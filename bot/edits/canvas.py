"""What the Mini App may ask for: the photo, the mask, a selection, progress, the result; erasing round after round.

The first mask of a waiting edit is that edit's own. Any later one begins a new edit, a round: on the last round's
result where the person goes on erasing, on the photo itself where an automatic result is mended by hand.

A mask is white where something is erased. Only of a /remove_background it is white where the subject is, which stays,
as on the command line: a cut-out is corrected as a cut-out, and each round cuts the photo itself out again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from bot.edits import pixels
from bot.edits.model import Edit, Operation, PhotoRef, Stage, State, follow_up_request
from bot.edits.service import Edits
from bot.edits.steps import EditSteps
from bot.errors import PersonError
from bot.imaging.photo import PictureFormat
from bot.imaging.pool import PixelPool
from bot.segmentation import Tap

log = structlog.get_logger()

PREVIEW_SIDE = 2048
"""Long side in pixels of what the page shows: canvas memory is scarce on phones (facts/telegram.md, C4)."""

MAX_MASK_BYTES = 5_000_000

WATCH_SECONDS = 0.25
"""Between looks at an edit whose progress somebody watches; it may run on another machine."""

MAX_TAPS = 64


@dataclass(frozen=True, slots=True)
class Event:
    """What an edit is doing.

    Attributes:
        kind: What happened.
        stage: For ``stage``: what is being done.
        position: For ``queued``: how many edits are before it.
        error: For ``failed``: the message id of why.
    """

    kind: Literal["waiting", "queued", "stage", "done", "failed", "cancelled"]
    stage: Stage | None = None
    position: int | None = None
    error: str | None = None


class Canvas:
    """The Mini App's door.

    Args:
        edits: The edits' own door.
        steps: Fetches photos and finds results.
        pool: Where pixels are worked on.
        max_megapixels: Larger photos are refused before decoding.
        models: Folder of learned models; None: none are used.
    """

    def __init__(
        self, edits: Edits, steps: EditSteps, pool: PixelPool, *, max_megapixels: float, models: Path | None = None
    ) -> None:
        self._edits = edits
        self._steps = steps
        self._pool = pool
        self._max_megapixels = max_megapixels
        self._models = models

    async def own(self, edit_id: str, person: int) -> Edit | None:
        """The person's edit, with its photo's size filled in; None where there is none, or it is another's.

        Whose it is comes before the photo is fetched: a stranger's id costs nothing and shows nothing.
        """
        edit = await self._edits.store.get(edit_id)
        return await self._measured(edit) if edit is not None and edit.person == person else None

    async def cancel(self, edit: Edit) -> None:
        """Stop it, queued or running.

        Raises:
            PersonError: ``too-late`` when it is being delivered or done.
        """
        await self._edits.cancel(edit.id, edit.person)

    async def _measured(self, edit: Edit) -> Edit | None:
        if edit.width is not None:
            return edit
        path = await self._steps.fetch(edit.photo)
        photo = await self._pool.run(pixels.load, path, self._max_megapixels, None)
        return await self._edits.store.change(edit.id, width=photo.width, height=photo.height)

    async def photo_preview(self, edit: Edit) -> bytes:
        """The photo as a JPEG of at most 2048 px."""
        path = await self._steps.fetch(edit.photo)
        return await self._pool.run(pixels.preview, path, self._max_megapixels, PREVIEW_SIDE)

    async def mask(self, edit: Edit) -> bytes | None:
        """The stored mask as a PNG; what segmentation found, where the edit was automatic.

        White = erase, and the found thing is widened by a rim; of a /remove_background white = the subject, as it is.
        """
        stored = await self._edits.store.mask(edit.id)
        if stored is None:
            return None
        data, is_matte = stored
        if not is_matte:
            return data
        return await self._pool.run(pixels.found_png, data, _keeps(edit))

    async def submit_mask(self, edit: Edit, png: bytes, *, key: str | None, on_photo: bool = False) -> Edit:
        """Check a painted mask, and queue the edit or its next round.

        Args:
            edit: The edit whose page it was painted on.
            png: A stranger's bytes; white = erase, or the subject of a /remove_background.
            key: The same key again is the same submission; None: the mask itself is the key.
            on_photo: A further round works on the edit's photo even where it has a result: the person took that back.

        Raises:
            PersonError: ``mask-…``, ``keep-…`` (the same of a mask of what stays), ``still-working``, and what
                `Edits.submit` raises.
        """
        checked = await self.own(edit.id, edit.person)
        if checked is None:
            raise PersonError("too-old")
        assert checked.width is not None
        assert checked.height is not None
        keeps = _keeps(checked)
        await self._pool.run(pixels.painted_mask, png, checked.width, checked.height, MAX_MASK_BYTES, keeps)
        said = f"{key or hashlib.sha256(png).hexdigest()}{':photo' if on_photo else ''}"
        submission = hashlib.sha256(said.encode()).hexdigest()
        if checked.state is State.WAITING_FOR_MASK:
            queued = await self._edits.queue_with_mask(checked.id, png, submission)
            if queued is not None:
                return queued
            checked = await self._edits.store.get(checked.id) or checked  # another submission came between
        if await self._edits.store.came_by(checked.id, submission):
            return checked  # the same upload again: its answer was lost on the way
        round_key = f"{checked.id}:round:{submission[:32]}"
        known = await self._edits.store.by_key(round_key)
        if known is not None:
            return known
        if not checked.state.is_final:
            raise PersonError("still-working")
        round_, _ = await self._edits.submit(
            follow_up_request(
                checked,
                round_key,
                operation=checked.operation if keeps else Operation.ERASE,
                photo=checked.photo if on_photo else self._base_of(checked),
                seed=checked.seed if keeps else 0,
                shadow=True,
                parent=checked.id,
                mask=png,
            )
        )
        return round_

    def _base_of(self, edit: Edit) -> PhotoRef:
        """What a further round works on: the last round's result; the photo of a cut-out or an automatic edit."""
        if edit.operation is not Operation.ERASE or edit.result is None:
            return edit.photo
        return PhotoRef(edit.result.file_id, edit.result.unique_id, edit.photo.as_file, edit.photo.name)

    async def select(self, edit: Edit, taps: Sequence[Tap], *, on_photo: bool = False) -> bytes:
        """The thing that the taps point at, as a mask PNG of the photo's aspect; `on_photo` as in `submit_mask`.

        It is widened by a rim, as `mask` does it, but for a /remove_background, whose subject it is to join.
        """
        photo = edit.photo if on_photo else self._base_of(edit)
        path, maps = await self._steps.fetch(photo), self._steps.maps_of(photo)
        found = await self._pool.run(
            pixels.selected_png,
            path,
            tuple(taps[:MAX_TAPS]),
            self._max_megapixels,
            _keeps(edit),
            self._models,
            maps,
        )
        if await self._edits.store.get(edit.id) is None:  # deleted meanwhile: what the segmenter kept goes too
            await asyncio.to_thread(maps.unlink, missing_ok=True)
        return found

    async def events(self, edit: Edit) -> AsyncIterator[Event]:
        """What the edit is doing, from now until it is final."""
        last: Event | None = None
        while True:
            current = await self._edits.store.get(edit.id)
            if current is None:
                return
            event = await self._event(current)
            if event != last:
                last = event
                yield event
            if current.state.is_final:
                return
            await asyncio.sleep(WATCH_SECONDS)

    async def _event(self, edit: Edit) -> Event:
        if edit.state in (State.WAITING_FOR_MASK, State.WAITING_FOR_CHOICE):
            return Event("waiting")
        if edit.state is State.QUEUED:
            return Event("queued", position=await self._edits.store.position(edit))
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
        path = await self._steps.result_file(edit)
        data = await asyncio.to_thread(path.read_bytes)
        return data, await self._pool.run(pixels.format_of, path)

    async def result_preview(self, edit: Edit) -> bytes:
        """The result as a JPEG of at most 2048 px.

        Raises:
            PersonError: ``still-working``, ``too-old``.
        """
        if edit.state is not State.DONE or edit.result is None:
            raise PersonError("still-working")
        path = await self._steps.result_file(edit)
        return await self._pool.run(pixels.preview, path, self._max_megapixels, PREVIEW_SIDE)


def _keeps(edit: Edit) -> bool:
    """Whether the edit's mask is of what stays, rather than of what goes."""
    return edit.operation is Operation.REMOVE_BACKGROUND
