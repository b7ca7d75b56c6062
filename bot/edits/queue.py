"""The queue and the durable workflow, on DBOS: one running edit per person, first in first out, so many per process.

DBOS is one per Python process, and so is an `EditQueue`. It is launched inside the running event loop, so that
workflows run on that loop, where the HTTP clients belong.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID, StepOptions

from bot.edits.model import Edit
from bot.edits.steps import ChoiceNeeded, EditSteps
from bot.errors import BotError, OutageError, WorldError
from bot.storage.database import Database
from bot.storage.heartbeat import Heartbeat
from bot.storage.takeover import Takeover
from bot.storage.threads import START_TIMEOUT

T = TypeVar("T")
log = structlog.get_logger()

QUEUE = "edits"
WORKFLOW_VERSION = "3"
"""DBOS's application version: changes when the workflow's steps do (by default it would be a hash of the source). An
upgraded program of the same shape goes on with its predecessor's edits, one of another begins them anew."""

POLL_SECONDS = 0.05
"""Measured on SQLite: 34 ms from enqueue to start at the median, for 8 % of a core (facts/parts.md)."""

STEP_SECONDS = 300.0
"""No step takes longer: downloads, engines and pixel work have tighter limits of their own."""


THREADS = 32
"""For DBOS's calls of its database and whatever else the loop hands to a thread; workflows run on the loop itself.
DBOS by itself would start as many as there are calls at a time: a thousand in a storm."""

OUTAGE_PAUSES = (2.0, 5.0, 10.0, 20.0, *[30.0] * 18)
"""Seconds between tries of a step that fails because the messenger cannot be reached: ten minutes in all."""


class EditQueue:
    """Takes edits and sees them through.

    Args:
        database: Where DBOS keeps its tables beside ours.
        steps: What is done.
        workers: Edits at a time in this process; 0: this process only hands edits to others.
        executor: Stable name of this worker: after a restart it goes on with what it had begun.
    """

    def __init__(self, database: Database, steps: EditSteps, *, workers: int, executor: str | None = None) -> None:
        self._database = database
        self._steps = steps
        self._workers = workers
        self.executor = executor or ("main" if database.is_sqlite else uuid.uuid4().hex)
        self._workflow: Callable[[str, int], Coroutine[Any, Any, str]] | None = None
        self._taking = True
        self._heartbeat: Heartbeat | None = None
        self._beating: asyncio.Task[None] | None = None
        self.running: set[str] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Close."""
        await self.close()

    def is_ready(self) -> bool:
        """Whether edits can be taken."""
        return self._workflow is not None

    def take_no_more(self) -> None:
        """Begin nothing new here.

        What DBOS still hands over stays recorded, and is begun by the next process of this name, or by another worker
        once this one has left.
        """
        self._taking = False

    async def start(self) -> None:
        """Launch DBOS on the running loop; what this executor had begun goes on at once."""
        config: DBOSConfig = {
            "name": "photo-cleaning-bot",
            "system_database_url": self._database.engine.url.render_as_string(hide_password=False),
            "application_version": WORKFLOW_VERSION,
            "executor_id": self.executor,
            "log_level": "WARNING",
            "enable_otlp": False,
            "run_migrations": True,
            "max_executor_threads": THREADS,
        }
        if self._database.queue_engine is not None:
            config["system_database_engine"] = self._database.queue_engine

        async def see_through(edit_id: str, attempt: int) -> str:
            return await self._see_through(edit_id)

        barrier = threading.Barrier(THREADS)
        self._workflow = DBOS.workflow(name="edit", max_recovery_attempts=None)(see_through)
        DBOS(config=config)
        if self._workers == 0:
            DBOS.listen_queues([])
        DBOS.launch()
        await DBOS.register_queue_async(
            QUEUE,
            worker_concurrency=max(1, self._workers),
            partition_concurrency=1,
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )
        # DBOS has made its pool the loop's own by now.
        await asyncio.gather(*(asyncio.to_thread(barrier.wait, START_TIMEOUT) for _ in range(THREADS)))
        takeover = Takeover(QUEUE, WORKFLOW_VERSION, is_sqlite=self._database.is_sqlite)
        if self._database.is_sqlite:  # nobody else is there, so that whatever is left of another version is ours
            await self._database.run(lambda connection: self._take_over_all(connection, takeover))
        else:
            self._heartbeat = Heartbeat(self._database, self.executor, WORKFLOW_VERSION, takeover)
            await self._heartbeat.beat()
            self._beating = asyncio.create_task(self._heartbeat.run())

    async def enqueue(self, edit: Edit) -> None:
        """Hand an edit to the queue; the same edit and attempt twice is once."""
        assert self._workflow is not None
        # DBOS takes a smaller priority first, within 1 … 2³¹−1; the order wraps around after two billion edits.
        options = SetEnqueueOptions(queue_partition_key=str(edit.person), priority=edit.number % (2**31 - 1) + 1)
        with SetWorkflowID(_workflow_id(edit.id, edit.attempt)), options:
            await DBOS.enqueue_workflow_async(QUEUE, self._workflow, edit.id, edit.attempt)

    async def cancel(self, edit_id: str, attempt: int) -> None:
        """Stop an edit, queued or running, wherever it runs."""
        await DBOS.cancel_workflow_async(_workflow_id(edit_id, attempt))

    def _take_over_all(self, connection: sa.Connection, takeover: Takeover) -> None:
        takeover.requeue_started(connection, self.executor, other_versions_only=True)
        takeover.claim_queued(connection, live_versions=())

    async def drain(self, seconds: float) -> bool:
        """Wait until no edit runs here, for so long at most; True when all ended."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Let go of DBOS; what still ran stays recorded and goes on at the next start."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        # A workflow that DBOS hands over this very moment stumbles over its closed executor, and is told of at length;
        # it is recorded all the same, and begun by the next process.
        library = logging.getLogger("dbos")
        level = library.level
        library.setLevel(logging.CRITICAL)
        try:
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        finally:
            library.setLevel(level)
            # DBOS makes its executor the loop's own, and has shut it down: what closes after us needs threads too.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        if self._heartbeat is not None:
            await self._heartbeat.leave()

    async def _see_through(self, edit_id: str) -> str:
        """The workflow; its id is made of edit and attempt."""
        with structlog.contextvars.bound_contextvars(edit=edit_id):
            if not self._taking:
                await asyncio.get_running_loop().create_future()  # until the process ends
            self.running.add(edit_id)
            self._idle.clear()
            try:
                return await self._in_steps(edit_id)
            finally:
                self.running.discard(edit_id)
                if not self.running:
                    self._idle.set()

    async def _in_steps(self, edit_id: str) -> str:
        steps = self._steps
        try:
            await _step("announce", steps.announce, edit_id)
            kept = await _step("make", steps.make, edit_id)
            if isinstance(kept, ChoiceNeeded):
                await _step("ask_which", steps.ask_which, edit_id)
                return "asked"
            result = await _step("deliver", steps.deliver, edit_id, kept) if kept else None
            if result is None:
                return "not wanted any more"
            await _step("finish", steps.finish, edit_id, result)
        except BotError as error:
            await _step("fail", steps.fail, edit_id, error)
            return error.message_id
        except Exception:  # the workflow's boundary: whatever a step did not foresee, the person is told
            log.exception("edit_broke")
            await _step("fail", steps.fail, edit_id, WorldError("something-broke"))
            return "something-broke"
        return "done"


async def _step(name: str, step: Callable[..., Coroutine[Any, Any, T]], *arguments: object) -> T:
    """One checkpointed step; begun again for minutes where the messenger cannot be reached.

    Giving up at once would leave the status message as it is: that its edit failed could not be said either.
    """
    for pause in OUTAGE_PAUSES:
        try:
            return await _once(name, step, *arguments)
        except OutageError as error:
            log.warning("outage", step=name, reason=str(error), retry_in=pause)
        await asyncio.sleep(pause)
    return await _once(name, step, *arguments)


async def _once(name: str, step: Callable[..., Coroutine[Any, Any, T]], *arguments: object) -> T:
    options: StepOptions = {
        "name": name,
        "preemptible": name in ("announce", "make"),
        "timeout_seconds": STEP_SECONDS,
    }
    return await DBOS.run_step_async(options, step, *arguments)


def _workflow_id(edit_id: str, attempt: int) -> str:
    return f"{edit_id}:{attempt}"
