"""Deletes everything that is stored about a person who asks for it.

The request is recorded first, so that a killed process goes on with it at its next start. Then the person's unfinished
edits are stopped, and all rows and files are deleted: edits with their masks, found objects, offers, pending commands,
settings, the queue's rows, cached photos and results. The message in which the person confirmed becomes the receipt.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.edits.model import DeletionRequest, Edit
from bot.edits.pictures.files import cache_keys
from bot.edits.ports import Courier
from bot.edits.records.store import Store
from bot.edits.workflow.queue import EditQueue
from bot.errors import BotError, PersonError
from bot.storage.file_cache import FileCache

log = structlog.get_logger()

RECOVERY_SECONDS = 10.0
"""Seconds between looks for requests that a crash or an outage interrupted."""

WAIT_SECONDS = 330.0
"""Seconds to wait for edits that are being delivered or still run: a step's time limit, and some more. Edits that go on
after that are deleted at the next look."""

POLL_SECONDS = 0.1


class PersonDeletion:
    """Deletes people's data.

    Args:
        store: The store.
        queue: The queue, whose running edits are waited for.
        courier: Shows the receipt.
        caches: Their files are deleted with the edits.
        stop: Stops an edit.
    """

    def __init__(
        self,
        store: Store,
        queue: EditQueue,
        courier: Courier,
        caches: Sequence[FileCache],
        stop: Callable[[Edit], Awaitable[Edit]],
    ) -> None:
        self._store = store
        self._queue = queue
        self._courier = courier
        self._caches = tuple(caches)
        self._stop = stop
        self._also: list[Callable[[int], Awaitable[None]]] = []
        self._requested = asyncio.Event()

    def add_step(self, delete: Callable[[int], Awaitable[None]]) -> None:
        """Call this, too, with the person's id; a failure postpones the deletion, which is then tried again."""
        self._also.append(delete)

    async def request(self, request: DeletionRequest) -> None:
        """Record a request; it is carried out in the background."""
        await self._store.deletion.request(request)
        self._requested.set()

    async def run(self) -> None:
        """Carry out requests until cancelled. A failure is logged, and the request is tried again."""
        under_way: dict[int, asyncio.Task[None]] = {}
        try:
            while True:
                self._requested.clear()
                for person in [person for person, task in under_way.items() if task.done()]:
                    del under_way[person]
                try:
                    requests = await self._store.deletion.requested()
                except BotError as error:
                    log.warning("deletions_not_read", reason=str(error))
                    requests = []
                for request in requests:
                    if request.person not in under_way:
                        under_way[request.person] = asyncio.create_task(self._log_failures(request))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RECOVERY_SECONDS):
                        await self._requested.wait()
        finally:
            for task in under_way.values():
                task.cancel()
            await asyncio.gather(*under_way.values(), return_exceptions=True)

    async def _log_failures(self, request: DeletionRequest) -> None:
        try:
            await self._carry_out(request)
        except (BotError, TimeoutError) as error:
            log.warning("deletion_postponed", reason=str(error))
        except Exception:  # the background's boundary
            log.exception("deletion_broke")

    async def _carry_out(self, request: DeletionRequest) -> None:
        person, deletion = request.person, self._store.deletion
        # The last first: a stopped photo of an album would let the next one have its status message.
        for edit in reversed(await deletion.pending_of(person)):
            with contextlib.suppress(PersonError):  # it is being delivered: it is deleted once it is done
                await self._stop(edit)
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                ended = await deletion.ended_of(person)
                await self._queue.wait_until_ended({edit.id for edit in ended})
                files = await asyncio.to_thread(remove_files, ended, self._caches)
                await deletion.delete_workflows(ended)
                # The rows go last: after a crash they say what else has to be deleted.
                left = await deletion.delete_person(person, ended)
                self._store.person_settings.invalidate()
                counted = await deletion.count(person, edits=len(ended), files=files)
                if not left:
                    break
                await asyncio.sleep(POLL_SECONDS)
        for delete in self._also:
            await delete(person)
        await deletion.finish(request)
        self._store.people.invalidate(person)
        # Last, so that it is true. If the process is killed before it, the person can press the button again.
        await self._courier.show_receipt(request, edits=counted[0], files=counted[1])
        log.info("person_deleted", edits=counted[0], files=counted[1])


def remove_files(edits: Sequence[Edit], caches: Sequence[FileCache]) -> int:
    """Delete the cached files of edits; returns how many there were. Blocks."""
    keys = {key for edit in edits for key in cache_keys(edit)}
    return sum(cache.remove(key) for key in keys for cache in caches)
