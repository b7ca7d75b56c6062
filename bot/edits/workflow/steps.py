"""The steps of the durable workflow: announce → make → deliver → finish, or → ask which object is meant.

Each step is idempotent, and its outcome is checkpointed: after a crash the workflow continues after its last finished
step. A step passes a small value to the next one; the picture itself is in a bounded cache, and is made again if it was
evicted (docs/architecture.md#durability).
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from bot.edits.finishes import OF_ANOTHER_SIZE
from bot.edits.follow_ups import can_go_back
from bot.edits.model import NOTES_ABOUT_FIND, Edit, PhotoRef, Stage, State, StoredMask
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.files import EditFiles, maps_key, photo_key, result_key
from bot.edits.pictures.job import DoubtfulFindError, Job
from bot.edits.ports import Courier, ResultFile, StatusMessageGoneError
from bot.edits.records.rows import notes_column
from bot.edits.records.store import Store
from bot.edits.records.work_times import work_of
from bot.edits.workflow.album_counts import AlbumCounts
from bot.edits.workflow.announcer import Announcer
from bot.edits.workflow.attempts import with_retries
from bot.edits.workflow.failures import Failures
from bot.edits.workflow.metrics import EDITS, SECONDS
from bot.edits.workflow.progress import Progress
from bot.errors import (
    BotError,
    NothingFoundError,
    OutageError,
    UnusableInputError,
)
from bot.imaging.turns import on_behalf_of

log = structlog.get_logger()

MAX_MEASURED = 1000
"""Edits whose start is remembered; one that was stopped stays until then."""

MAX_STARTS = 5
"""Starts of one attempt after which the photo counts as the cause of the crashes."""

RUNNING = (State.RUNNING,)
"""A mask is stored only with an edit that runs: one that was cancelled meanwhile has dropped its mask."""


@dataclass(frozen=True, slots=True)
class CheckpointedResult:
    """The result of `make` that later steps need; small, because it is checkpointed.

    Attributes:
        file: The finished picture, without its matte.
        key: Its key in the cache of results.
    """

    file: ResultFile
    key: str


@dataclass(frozen=True, slots=True)
class ChoiceNeeded:
    """The result of `make` if the objects found are stored and the person must choose among them first."""


class EditSteps:
    """The steps, as plain methods; `queue.py` runs them as a durable workflow.

    Args:
        store: The store.
        editor: Changes the photo.
        courier: Shows messages and delivers results.
        announcer: Posts status messages.
        files: Fetches photos, and holds the cache of results.
    """

    def __init__(
        self,
        *,
        store: Store,
        editor: Editor,
        courier: Courier,
        announcer: Announcer,
        files: EditFiles,
    ) -> None:
        self.store = store
        self.editor = editor
        self.courier = courier
        self.announcer = announcer
        self.files = files
        self._album_counts = AlbumCounts(store, courier, announcer.estimates)
        self._work_started: OrderedDict[str, tuple[float, str | None]] = OrderedDict()
        """By edit id: when this process began to work on it (`time.monotonic`), and the kind of work."""
        self._failures = Failures(store=store, editor=editor, courier=courier, announcer=announcer, files=files)

    async def announce(self, edit_id: str) -> None:
        """Step 1: post the status message."""
        edit = await self._unfinished(edit_id)
        if edit is not None:
            await self.announcer.announce(edit)

    async def make(self, edit_id: str) -> CheckpointedResult | ChoiceNeeded | None:
        """Step 2: make the picture and put it into the cache, unless the person must choose an object first.

        Returns:
            None if the edit was cancelled or deleted.

        Raises:
            BotError: The reason why there is no picture.
        """
        begun = await self.store.begin(edit_id)
        if begun is None:
            return None
        edit, starts = begun
        self._measure(edit)
        if starts > MAX_STARTS:
            raise UnusableInputError("photo-poison")
        try:
            with on_behalf_of(edit.person):
                return await self._make(edit)
        except OutageError:  # the photo is not the cause: this start does not count
            await self.store.change(edit_id, only=RUNNING, starts=starts - 1)
            raise

    async def _make(self, edit: Edit) -> CheckpointedResult | ChoiceNeeded:
        estimates = self.announcer.estimates
        async with self.courier.busy(edit), Progress(self.store, self.courier, estimates, edit) as on_stage:
            await on_stage(Stage.FETCHING)
            source = await self.files.fetch(edit.photo)
            if edit.chooses and not edit.has_mask and not await self._has_chosen(edit, source, on_stage):
                return ChoiceNeeded()
            if edit.is_doubtful:
                # A process crashed between storing the doubtful find and asking: the person has not answered yet.
                raise DoubtfulFindError
            try:
                result = await self._edit(edit, source, on_stage)
            except DoubtfulFindError as doubt:
                # What was found is shown with the question, and is used if the answer is yes.
                doubtful: dict[str, Any] = {"mask": doubt.matte, "mask_is_matte": True, "error": doubt.message_id}
                await self.store.change(edit.id, only=RUNNING, **doubtful)
                raise
            finally:
                if await self.store.get(edit.id) is None:  # deleted in the meantime: delete the segmenter's maps too
                    await asyncio.to_thread(self.files.maps_of(edit.photo).unlink, missing_ok=True)
        kept = [note for note in edit.notes if note in NOTES_ABOUT_FIND]
        result = replace(result, notes=tuple(dict.fromkeys((*kept, *result.notes))))
        values: dict[str, Any] = {"engine": result.engine}
        if edit.finish not in OF_ANOTHER_SIZE:  # the photo's size, by which the canvas places a mask
            values |= {"width": result.width, "height": result.height}
        if result.matte is not None:
            values |= {"mask": result.matte, "mask_is_matte": True}
        await self.store.change(edit.id, only=RUNNING, **values)
        return CheckpointedResult(replace(result, matte=None), result_key(edit))

    async def deliver(self, edit_id: str, checkpoint: CheckpointedResult) -> PhotoRef | None:
        """Step 3: turn the status message into the picture; None if the edit was cancelled or deleted."""
        path = self.files.results.find(checkpoint.key)
        if path is None:
            again = await self.make(edit_id)
            if not isinstance(again, CheckpointedResult):
                return None
            file = again.file
        else:
            file = replace(checkpoint.file, path=path)  # it may have been made under another DATA_DIR
        delivering: dict[str, Any] = {"stage": Stage.DELIVERING, "notes": notes_column(file.notes)}
        edit = await self.store.change(edit_id, only=RUNNING, **delivering)
        if edit is None:
            return None
        tries = await self.store.variants.tries(edit)
        delivery = (await self.store.person_settings.get(edit.person)).delivery
        try:
            edit = await self.announcer.announce(edit)
            result = await self.courier.deliver(edit, file, tries, delivery)
        except StatusMessageGoneError:
            fresh = await self.store.change(edit_id, status_message=None, status_claimed=None)
            if fresh is None:
                return None
            result = await self.courier.deliver(await self.announcer.announce(fresh), file, tries, delivery)
        # A further round works on the result as it was made, not as Telegram compressed it.
        try:
            await self.files.photos.put(photo_key(result), await asyncio.to_thread(file.path.read_bytes))
        except OSError as error:  # a full disk: the picture is delivered, and can be fetched again
            log.warning("result_not_cached", reason=error.strerror)
        return result

    async def finish(self, edit_id: str, result: PhotoRef) -> None:
        """Step 4: record that the edit is done."""
        before = await self.store.get(edit_id)
        if before is not None and before.result is not None and before.result.unique_id != result.unique_id:
            for key in (photo_key(before.result), maps_key(before.result)):
                await asyncio.to_thread(self.files.photos.remove, key)
        edit = await self.store.finish(edit_id, result)
        if edit is not None:
            if edit.painted is not None:  # its paint is in the mask
                await asyncio.to_thread(self.files.photos.remove, photo_key(edit.painted))
            SECONDS.labels(edit.operation).observe(time.time() - edit.requested.timestamp())
            EDITS.labels(edit.operation, edit.engine, "done").inc()
            log.info("edit_done", edit=edit.id, operation=edit.operation, engine=edit.engine)
            await self._record_work_time(edit)
        if before is not None:
            await self._album_counts.show(before)
            await self.announcer.announce_next(before)

    def _measure(self, edit: Edit) -> None:
        """Measure how long an edit takes from now on."""
        self._work_started[edit.id] = time.monotonic(), work_of(edit)
        while len(self._work_started) > MAX_MEASURED:
            self._work_started.popitem(last=False)

    async def _record_work_time(self, edit: Edit) -> None:
        """Record how long an edit took; nothing for one that another process began. The answer is there already."""
        began, work = self._work_started.pop(edit.id, (0.0, None))
        if work is not None and edit.engine is not None:
            try:
                await self.store.work_times.record(work, edit.engine, time.monotonic() - began)
            except OutageError as error:
                log.info("work_time_not_recorded", reason=str(error))

    async def fail(self, edit_id: str, error: BotError) -> None:
        """Instead of the remaining steps: record the failure and show it in the status message."""
        self._work_started.pop(edit_id, None)
        await self._failures.fail(edit_id, error)
        edit = await self.store.get(edit_id)
        if edit is not None:
            await self._album_counts.show(edit)
            await self.announcer.announce_next(edit)

    async def ask_which(self, edit_id: str) -> None:
        """Instead of the remaining steps: show the objects found by number, and wait for the person's choice."""
        pending = await self._unfinished(edit_id)
        if pending is None:
            return
        found, source = await self.store.objects.of(edit_id), await self.files.fetch(pending.photo)
        mattes = [item.matte for item in found]
        with on_behalf_of(pending.person):
            picture = await with_retries(pending, lambda: self.editor.number_objects(source, mattes))
        askable = (State.RUNNING, State.WAITING_FOR_CHOICE)
        edit = await self.store.change(edit_id, only=askable, state=State.WAITING_FOR_CHOICE, stage=None)
        if edit is None:
            return
        may_go_back = await can_go_back(self.store, edit)
        numbers = [item.number for item in found]
        try:
            await self.courier.ask_which(await self.announcer.announce(edit), numbers, picture, can_go_back=may_go_back)
        except StatusMessageGoneError:
            fresh = await self.store.change(edit_id, status_message=None, status_claimed=None)
            if fresh is not None:
                await self.courier.ask_which(await self.announcer.announce(fresh), numbers, picture, can_go_back=False)
        log.info("choice_asked", edit=edit.id, operation=edit.operation, objects=len(found))

    async def _has_chosen(self, edit: Edit, source: Path, on_stage: Callable[[Stage], Awaitable[None]]) -> bool:
        """Whether the person has chosen among the objects found; then their union becomes the edit's matte.

        Raises:
            NothingFoundError: There is nothing to choose from.
        """
        found = await self.store.objects.of(edit.id)
        if not found:
            await on_stage(Stage.SEGMENTING)
            mattes = await with_retries(edit, lambda: self.editor.find_objects(source, self.files.maps_of(edit.photo)))
            rejected = await self.store.mask(edit.parent) if edit.parent else None
            if rejected is not None and len(mattes) == 1 and await self.editor.are_same(mattes[0], rejected.png):
                mattes = []  # only what the person has just rejected
            if not mattes:
                raise NothingFoundError("nothing-else-found")
            await self.store.objects.replace(edit.id, mattes)
        chosen = [item.matte for item in found if item.chosen]
        if not chosen:
            return False
        joined = await self.editor.join_mattes(chosen)
        await self.store.change(edit.id, only=RUNNING, mask=joined, mask_is_matte=True)
        return True

    async def _unfinished(self, edit_id: str) -> Edit | None:
        edit = await self.store.get(edit_id)
        return edit if edit is not None and not edit.state.is_final else None

    async def _edit(self, edit: Edit, source: Path, on_stage: Callable[[Stage], Awaitable[None]]) -> ResultFile:
        stored = await self.store.mask(edit.id)
        is_kept = edit.mask_is_kept
        if edit.painted is not None and (stored is None or is_kept):
            # The paint on a cut-out is added to the stored subject; adding it twice changes nothing.
            painted = await self.files.fetch(edit.painted)
            found = stored.png if stored else None
            mask = await self.editor.painted_mask(source, painted, is_kept=is_kept, found=found, sure=edit.guessed)
            await self.store.change(edit.id, only=RUNNING, mask=mask, mask_is_matte=False)
            stored = StoredMask(mask, is_matte=False)
        behind = await self.files.fetch(edit.background) if edit.background is not None else None
        job = Job(
            operation=edit.operation,
            finish=edit.finish,
            seed=edit.seed,
            mask=stored.png if stored else None,
            mask_is_matte=stored.is_matte if stored else False,
            shadow=edit.shadow,
            maps=self.files.maps_of(edit.photo),
            own_background=behind,
        )
        target = self.files.results.path(result_key(edit))
        target.parent.mkdir(parents=True, exist_ok=True)
        result = await with_retries(edit, lambda: self.editor.edit(source, job, target, on_stage))
        await asyncio.to_thread(self.files.results.evict, keep=target)
        return result
