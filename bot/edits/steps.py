"""The durable way of an edit: status → make → deliver → done, or → ask which thing is meant, on DBOS.

Each step may be repeated without harm, and its outcome is checkpointed: a process killed at any moment leaves a
workflow that goes on from its last finished step. What a later step needs from an earlier one is a small value; the
picture itself lies in a bounded cache and is made again if it has left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import structlog
from prometheus_client import Counter, Histogram

from bot.edits.announcer import Announcer
from bot.edits.editor import DoubtfulFindError, Editor, Job
from bot.edits.model import Edit, Operation, PhotoRef, Stage, State
from bot.edits.ports import Courier, ResultFile
from bot.edits.progress import Progress
from bot.edits.records.store import Store
from bot.errors import BotError, NothingFoundError, PersonError, UnusableInputError, WorkerDiedError, WorldError
from bot.storage.file_cache import FileCache

T = TypeVar("T")
log = structlog.get_logger()

EDITS = Counter(
    "bot_edits_total", "Edits that ended, by operation, engine and outcome.", ["operation", "engine", "outcome"]
)
SECONDS = Histogram(
    "bot_edit_seconds",
    "From the request to the answer.",
    ["operation"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300),
)

MAX_STARTS = 5
"""Times that a process may die over one edit before the photo is taken for the cause."""

WORLD_ATTEMPTS = 3
"""Times that pixel work is tried when a worker dies or the world stumbles; then the person is told."""


class StatusMessageGoneError(BotError):
    """The status message is not there any more: the person deleted it."""


class ChatGoneError(BotError):
    """The chat cannot be written to any more: the person blocked the bot, or it was removed from the group."""


@dataclass(frozen=True, slots=True)
class CheckpointedResult:
    """What the steps after `make` need to know; small, since it is checkpointed."""

    made: ResultFile
    key: str


@dataclass(frozen=True, slots=True)
class ChoiceNeeded:
    """In place of a picture: the things found are known, and the person is asked which one is meant."""


class EditSteps:
    """The steps, as plain methods; `queue.py` strings them into a durable workflow.

    Args:
        store: What is remembered.
        editor: Who changes the photo.
        courier: Who carries photos and words.
        announcer: Who posts status messages.
        photos: Cache of downloaded photos.
        results: Cache of finished pictures.
        max_file_bytes: Larger photos are refused.
    """

    def __init__(
        self,
        *,
        store: Store,
        editor: Editor,
        courier: Courier,
        announcer: Announcer,
        photos: FileCache,
        results: FileCache,
        max_file_bytes: int,
    ) -> None:
        self.store = store
        self.editor = editor
        self.courier = courier
        self.announcer = announcer
        self.photos = photos
        self.results = results
        self.max_file_bytes = max_file_bytes

    async def announce(self, edit_id: str) -> None:
        """Step 1: the status message is there."""
        edit = await self._pending(edit_id)
        if edit is not None:
            await self.announcer.announce(edit)

    async def make(self, edit_id: str) -> CheckpointedResult | ChoiceNeeded | None:
        """Step 2: the finished picture lies in the cache, or the person has to choose what is meant first.

        Returns:
            None where the edit is not wanted any more.

        Raises:
            BotError: Why there is no picture.
        """
        begun = await self.store.begin(edit_id)
        if begun is None:
            return None
        edit, starts = begun
        if starts > MAX_STARTS:
            raise UnusableInputError("photo-poison")
        async with self.courier.busy(edit), Progress(self.store, self.courier, edit) as on_stage:
            await on_stage(Stage.FETCHING)
            source = await self.fetch(edit.photo)
            if edit.chooses and not edit.has_mask and not await self._has_chosen(edit, source, on_stage):
                return ChoiceNeeded()
            if edit.is_doubtful:
                # The process died between storing the doubt and asking about it: the person has not answered yet.
                raise DoubtfulFindError
            try:
                made = await self._edit(edit, source, on_stage)
            except DoubtfulFindError as doubt:
                # What was found is shown with the question, and is used where the answer is yes.
                await self.store.change(edit_id, mask=doubt.matte, mask_is_matte=True, error=doubt.message_id)
                raise
            finally:
                if await self.store.get(edit_id) is None:  # deleted meanwhile: what the segmenter kept goes too
                    await asyncio.to_thread(self.maps_of(edit.photo).unlink, missing_ok=True)
        values: dict[str, Any] = {"engine": made.engine, "width": made.width, "height": made.height}
        if made.matte is not None:
            values |= {"mask": made.matte, "mask_is_matte": True}
        await self.store.change(edit_id, **values)
        return CheckpointedResult(replace(made, matte=None), _result_key(edit))

    async def deliver(self, edit_id: str, kept: CheckpointedResult) -> PhotoRef | None:
        """Step 3: the status message has become the picture; None where the edit is not wanted any more."""
        edit = await self.store.change(edit_id, only=(State.RUNNING,), stage=Stage.DELIVERING)
        if edit is None:
            return None
        path = self.results.find(kept.key)
        if path is None:
            again = await self.make(edit_id)
            if not isinstance(again, CheckpointedResult):
                return None
            made = again.made
        else:
            made = replace(kept.made, path=path)  # it may have been made under another DATA_DIR
        try:
            edit = await self.announcer.announce(edit)
            result = await self.courier.deliver(edit, made)
        except StatusMessageGoneError:
            fresh = await self.store.change(edit_id, status_message=None, status_claimed=None)
            if fresh is None:
                return None
            result = await self.courier.deliver(await self.announcer.announce(fresh), made)
        # Whoever goes on from this result gets it as it was made, not as Telegram encoded it anew.
        await self.photos.put(_photo_key(result), await asyncio.to_thread(made.path.read_bytes))
        return result

    async def finish(self, edit_id: str, result: PhotoRef) -> None:
        """Step 4: the edit is done."""
        before = await self.store.get(edit_id)
        if before is not None and before.result is not None and before.result.unique_id != result.unique_id:
            for key in (_photo_key(before.result), _maps_key(before.result)):  # it is shown no more
                await asyncio.to_thread(self.photos.remove, key)
        edit = await self.store.change(
            edit_id,
            only=(State.RUNNING, State.QUEUED),
            state=State.DONE,
            stage=None,
            result_file_id=result.file_id,
            result_unique_id=result.unique_id,
            result_as_file=result.as_file,
        )
        if edit is not None:
            SECONDS.labels(edit.operation).observe(time.time() - edit.created.timestamp())
            EDITS.labels(edit.operation, edit.engine, "done").inc()
            log.info("edit_done", edit=edit.id, operation=edit.operation, engine=edit.engine)

    async def fail(self, edit_id: str, error: BotError) -> None:
        """Instead of the rest: the status message says why, and the edit has failed."""
        stoppable = (State.RUNNING, State.QUEUED, State.WAITING_FOR_CHOICE)
        edit = await self.store.change(edit_id, only=stoppable, state=State.FAILED, stage=None, error=error.message_id)
        edit = edit or await self.store.get(edit_id)
        if edit is None or edit.state is not State.FAILED:
            return
        log.warning("edit_failed", edit=edit.id, operation=edit.operation, reason=str(error), kind=type(error).__name__)
        EDITS.labels(edit.operation, edit.engine or "none", error.message_id).inc()
        if isinstance(error, ChatGoneError):
            return
        try:
            shown = await self._pointed_out(edit) if isinstance(error, DoubtfulFindError) else None
            back = await can_go_back(self.store, edit)
            await self.courier.show_failure(await self.announcer.announce(edit), error, shown, can_go_back=back)
        except StatusMessageGoneError:
            log.info("status_message_deleted", edit=edit.id)

    async def ask_which(self, edit_id: str) -> None:
        """Instead of the rest: the things found are shown by number, and the edit waits for the person's choice."""
        asked = await self._pending(edit_id)
        if asked is None:
            return
        found, source = await self.store.things.of(edit_id), await self.fetch(asked.photo)
        mattes = [thing.matte for thing in found]
        picture = await self._with_retries(asked, lambda: self.editor.numbered(source, mattes))
        waits = (State.RUNNING, State.WAITING_FOR_CHOICE)
        edit = await self.store.change(edit_id, only=waits, state=State.WAITING_FOR_CHOICE, stage=None)
        if edit is None:
            return
        has_result = await can_go_back(self.store, edit)
        numbers = [thing.number for thing in found]
        try:
            await self.courier.ask_which(await self.announcer.announce(edit), numbers, picture, can_go_back=has_result)
        except StatusMessageGoneError:
            fresh = await self.store.change(edit_id, status_message=None, status_claimed=None)
            if fresh is not None:
                await self.courier.ask_which(await self.announcer.announce(fresh), numbers, picture, can_go_back=False)
        log.info("choice_asked", edit=edit.id, operation=edit.operation, things=len(found))

    async def _has_chosen(self, edit: Edit, source: Path, on_stage: Callable[[Stage], Awaitable[None]]) -> bool:
        """Whether the person has chosen among the things found; then their mattes are the edit's matte.

        Raises:
            NothingFoundError: There is nothing to choose from.
        """
        found = await self.store.things.of(edit.id)
        if not found:
            await on_stage(Stage.SEGMENTING)
            mattes = await self._with_retries(edit, lambda: self.editor.things(source, self.maps_of(edit.photo)))
            refused = await self.store.mask(edit.parent) if edit.parent else None
            if refused is not None and len(mattes) == 1 and await self.editor.are_same(mattes[0], refused[0]):
                mattes = []  # only what the person has just refused
            if not mattes:
                raise NothingFoundError("nothing-else-found")
            await self.store.things.keep(edit.id, mattes)
        chosen = [thing.matte for thing in found if thing.chosen]
        if not chosen:
            return False
        await self.store.change(edit.id, mask=await self.editor.joined(chosen), mask_is_matte=True)
        return True

    def maps_of(self, photo: PhotoRef) -> Path:
        """The file beside a photo's own in which the segmenter keeps what it saw in it."""
        return self.photos.path(_maps_key(photo))

    async def _pointed_out(self, edit: Edit) -> bytes | None:
        """The photo with what was found in it; None where it cannot be shown: the question does without."""
        found = await self.store.mask(edit.id)
        try:
            return await self.editor.pointed_out(await self.fetch(edit.photo), found[0]) if found else None
        except BotError as error:
            log.warning("doubt_not_shown", edit=edit.id, reason=str(error))
            return None

    async def fetch(self, photo: PhotoRef) -> Path:
        """The photo's file, from the cache or through the courier."""
        key = _photo_key(photo)
        path = self.photos.find(key)
        if path is None:
            path = await self.photos.put(key, await self.courier.fetch(photo, max_bytes=self.max_file_bytes))
        return path

    async def result_file(self, edit: Edit) -> Path:
        """The finished picture's file.

        Raises:
            PersonError: ``too-old``: there is none.
        """
        if edit.result is None:
            raise PersonError("too-old")
        return await self.fetch(edit.result)

    async def _pending(self, edit_id: str) -> Edit | None:
        edit = await self.store.get(edit_id)
        return edit if edit is not None and not edit.state.is_final else None

    async def _edit(self, edit: Edit, source: Path, on_stage: Callable[[Stage], Awaitable[None]]) -> ResultFile:
        stored = await self.store.mask(edit.id)
        keeps = edit.operation is Operation.REMOVE_BACKGROUND
        if edit.painted is not None and (stored is None or keeps):
            # What is painted for a cut-out joins the subject that is stored; joining it twice changes nothing.
            painted = await self.fetch(edit.painted)
            found = await self.editor.painted_mask(source, painted, keeps=keeps, found=stored[0] if stored else None)
            await self.store.change(edit.id, mask=found, mask_is_matte=False)
            stored = (found, False)
        job = Job(
            operation=edit.operation,
            finish=edit.finish,
            seed=edit.seed,
            mask=stored[0] if stored else None,
            mask_is_matte=stored[1] if stored else False,
            shadow=edit.shadow,
            maps=self.maps_of(edit.photo),
        )
        target = self.results.path(_result_key(edit))
        target.parent.mkdir(parents=True, exist_ok=True)
        made = await self._with_retries(edit, lambda: self.editor.edit(source, job, target, on_stage))
        await asyncio.to_thread(self.results.evict, keep=target)
        return made

    async def _with_retries(self, edit: Edit, work: Callable[[], Awaitable[T]]) -> T:
        """Try pixel work a few times: a worker may die through no fault of this photo."""
        for attempt in range(1, WORLD_ATTEMPTS + 1):
            try:
                return await work()
            except WorldError as error:
                log.warning("edit_stumbled", edit=edit.id, attempt=attempt, reason=str(error))
                if attempt == WORLD_ATTEMPTS:
                    if isinstance(error, WorkerDiedError):
                        raise UnusableInputError("photo-poison") from error
                    raise
            await asyncio.sleep(0.2 * attempt)
        raise AssertionError("unreachable")


def _photo_key(photo: PhotoRef) -> str:
    return f"photo:{photo.unique_id}"


def _maps_key(photo: PhotoRef) -> str:
    return f"maps:{photo.unique_id}"


def _result_key(edit: Edit) -> str:
    return f"result:{edit.id}:{edit.finish}:{edit.seed}"


async def can_go_back(store: Store, edit: Edit) -> bool:
    """Whether a result was shown before the person asked for something else."""
    before = await store.get(edit.parent) if edit.chooses and edit.parent else None
    return before is not None and before.state is State.DONE


def file_keys(edit: Edit) -> list[str]:
    """The keys of all files that the caches may hold for an edit."""
    photos = [photo for photo in (edit.photo, edit.painted, edit.result) if photo is not None]
    return [_result_key(edit), *(key(photo) for photo in photos for key in (_photo_key, _maps_key))]
