"""The queue and the durable workflow, on DBOS: first in first out, one running edit per person, a limit per process.

A Python process has one DBOS, and so one `EditQueue`. It is launched inside the running event loop, so that workflows
run on the loop that the HTTP clients belong to.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID, StepOptions
from dbos import error as dbos_error

from bot.edits.model import Edit, workflow_id
from bot.edits.workflow.metrics import STEP_SECONDS
from bot.edits.workflow.queue_polling import (
    BUSY_SECONDS,
    IDLE_SECONDS_ALONE,
    IDLE_SECONDS_SHARED,
    QueuePolling,
    shorten_outage_pauses,
)
from bot.edits.workflow.steps import ChoiceNeeded, EditSteps
from bot.errors import BotError, OutageError, WorldError
from bot.storage.database import Database
from bot.storage.heartbeat import Heartbeat
from bot.storage.takeover import Takeover
from bot.storage.threads import START_TIMEOUT

T = TypeVar("T")
log = structlog.get_logger()

QUEUE = "edits"
WORKFLOW_VERSION = "3"
"""DBOS's application version: change it with the workflow's steps (the default is a hash of the source). A program
with the same version continues the edits of its predecessor; one with another version restarts them."""

STEP_LIMIT_SECONDS = 300.0
"""Time limit of a step. Downloads, engines and pixel work have tighter limits."""

THREADS = 32
"""Threads for DBOS's database calls and for `asyncio.to_thread`; workflows run on the loop. By default DBOS would start
one for each concurrent call: a thousand after a crash."""

OUTAGE_PAUSES = (2.0, 5.0, 10.0, 20.0, *[30.0] * 18)
"""Seconds between tries of a step during an outage: ten minutes in all."""


class EditQueue:
    """Runs edits.

    Args:
        database: Where DBOS keeps its tables beside ours.
        steps: The steps of the workflow.
        workers: Concurrent edits in this process; 0: it only enqueues edits for others.
        executor: Name of this executor. If the name stays the same after a restart, it resumes what it had started.
    """

    def __init__(self, database: Database, steps: EditSteps, *, workers: int, executor: str | None = None) -> None:
        self._database = database
        self._steps = steps
        self._workers = workers
        self.executor = executor or ("main" if database.is_sqlite else uuid.uuid4().hex)
        self._workflow: Callable[[str, int], Coroutine[Any, Any, str]] | None = None
        self._accepting = True
        self._heartbeat: Heartbeat | None = None
        self._heartbeat_task: asyncio.Task[None] | None = None
        self._polling = QueuePolling(QUEUE, IDLE_SECONDS_ALONE if database.is_sqlite else IDLE_SECONDS_SHARED)
        self.running: set[str] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Close."""
        await self.close()

    def is_ready(self) -> bool:
        """Whether edits can be enqueued."""
        return self._workflow is not None

    def stop_accepting(self) -> None:
        """Start no more edits in this process.

        What DBOS still passes to it stays recorded. The next process with this executor name starts it, or another
        worker once this one has left.
        """
        self._accepting = False

    async def start(self) -> None:
        """Launch DBOS on the running loop, and resume what this executor had started."""
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

        async def workflow(edit_id: str, attempt: int) -> str:
            return await self._run(edit_id)

        logging.getLogger("dbos").addFilter(_is_no_cancellation)
        shorten_outage_pauses()
        barrier = threading.Barrier(THREADS)
        self._workflow = DBOS.workflow(name="edit", max_recovery_attempts=None)(workflow)
        dbos = DBOS(config=config)
        if self._workers == 0:
            DBOS.listen_queues([])
        try:
            with _library_silenced():  # its traceback may repeat the database's address
                DBOS.launch()
        except sa.exc.DBAPIError as error:  # a full disk, or a user who may not make DBOS's tables
            await self.close()
            raise self._database.start_error(error) from None
        self._polling.replace_waits(dbos.background_thread_stop_events)
        await DBOS.register_queue_async(
            QUEUE,
            worker_concurrency=max(1, self._workers),
            partition_concurrency=1,
            polling_interval_sec=BUSY_SECONDS,
            on_conflict="always_update",
        )
        # DBOS has made its pool the loop's default executor: start its threads now.
        await asyncio.gather(*(asyncio.to_thread(barrier.wait, START_TIMEOUT) for _ in range(THREADS)))
        takeover = Takeover(QUEUE, WORKFLOW_VERSION, is_sqlite=self._database.is_sqlite)
        if self._database.is_sqlite:  # this is the only process: all that another version left is ours
            await self._database.run(lambda connection: self._take_over_all(connection, takeover))
        else:
            self._heartbeat = Heartbeat(self._database, self.executor, WORKFLOW_VERSION, takeover)
            await self._heartbeat.beat()
            self._heartbeat_task = asyncio.create_task(self._heartbeat.run())
        self._polling.poll_now()

    async def enqueue(self, edit: Edit) -> None:
        """Put an edit into the queue; a repeat with the same attempt does nothing."""
        assert self._workflow is not None
        # DBOS runs a smaller priority first, within 1 … 2³¹−1; the order wraps around after two billion edits.
        options = SetEnqueueOptions(queue_partition_key=str(edit.person), priority=edit.number % (2**31 - 1) + 1)
        with SetWorkflowID(workflow_id(edit.id, edit.attempt)), options:
            await DBOS.enqueue_workflow_async(QUEUE, self._workflow, edit.id, edit.attempt)
        self._polling.poll_now()

    async def cancel(self, edit_id: str, attempt: int) -> None:
        """Stop an edit, queued or running, in whichever process it runs."""
        await DBOS.cancel_workflow_async(workflow_id(edit_id, attempt))

    def _take_over_all(self, connection: sa.Connection, takeover: Takeover) -> None:
        takeover.requeue_started(connection, self.executor, other_versions_only=True)
        takeover.claim_queued(connection, live_versions=())

    async def drain(self, seconds: float) -> bool:
        """Wait up to `seconds` until no edit runs in this process; returns whether all ended."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def wait_until_ended(self, edit_ids: AbstractSet[str]) -> None:
        """Wait until none of these edits runs in this process."""
        while self.running & edit_ids:
            await self._ended.wait()

    async def close(self) -> None:
        """Shut DBOS down; what still runs stays recorded and continues at the next start."""
        if self._heartbeat_task is not None:
            self._heartbeat_task.cancel()
            await asyncio.gather(self._heartbeat_task, return_exceptions=True)
        # A workflow that DBOS starts at this moment fails on the closed executor, which DBOS logs at length. It stays
        # recorded, and the next process starts it.
        try:
            with _library_silenced():
                await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        finally:
            # DBOS made its executor the loop's default and has shut it down; what closes later needs threads too.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        if self._heartbeat is not None:
            await self._heartbeat.leave()

    async def _run(self, edit_id: str) -> str:
        """The workflow. Its id contains the edit's id and attempt."""
        with structlog.contextvars.bound_contextvars(edit=edit_id):
            if not self._accepting:
                await asyncio.get_running_loop().create_future()  # until the process ends
            self.running.add(edit_id)
            self._polling.edit_began()
            self._idle.clear()
            try:
                return await self._run_steps(edit_id)
            finally:
                self.running.discard(edit_id)
                self._polling.edit_ended()
                self._ended.set()
                self._ended = asyncio.Event()
                if not self.running:
                    self._idle.set()

    async def _run_steps(self, edit_id: str) -> str:
        steps = self._steps
        try:
            await _step("announce", steps.announce, edit_id)
            made = await _step("make", steps.make, edit_id)
            if isinstance(made, ChoiceNeeded):
                await _step("ask_which", steps.ask_which, edit_id)
                return "asked"
            result = await _step("deliver", steps.deliver, edit_id, made) if made else None
            if result is None:
                return "not wanted any more"
            await _step("finish", steps.finish, edit_id, result)
        except BotError as error:
            await _step("fail", steps.fail, edit_id, error)
            return error.message_id
        except Exception:  # the workflow's boundary: the person gets an answer for unexpected errors too
            log.exception("edit_broke")
            await _step("fail", steps.fail, edit_id, WorldError("something-broke"))
            return "something-broke"
        return "done"


@contextlib.contextmanager
def _library_silenced() -> Iterator[None]:
    """Log nothing of DBOS until the block ends."""
    library = logging.getLogger("dbos")
    level = library.level
    library.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        library.setLevel(level)


async def _step(name: str, step: Callable[..., Coroutine[Any, Any, T]], *arguments: object) -> T:
    """Run one checkpointed step; repeat it for minutes during an outage.

    Giving up at once would leave the status message as it is: during the outage it cannot show the failure either.
    """
    for pause in OUTAGE_PAUSES:
        try:
            return await _run_step(name, step, *arguments)
        except OutageError as error:
            log.warning("outage", step=name, reason=str(error), retry_in=pause)
        await asyncio.sleep(pause)
    return await _run_step(name, step, *arguments)


async def _run_step(name: str, step: Callable[..., Coroutine[Any, Any, T]], *arguments: object) -> T:
    options: StepOptions = {
        "name": name,
        "preemptible": name in ("announce", "make"),
        "timeout_seconds": STEP_LIMIT_SECONDS,
    }
    with STEP_SECONDS.labels(name).time():
        return await DBOS.run_step_async(options, step, *arguments)


_CANCELLATIONS = ("was cancelled during execution", "is no longer owned by this execution")


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """Whether DBOS logs something else than a cancelled workflow, for which it writes 2.5 kB of traceback.

    A person cancels as often as they like, so these lines would fill a disk.
    """
    error = record.exc_info[1] if record.exc_info else None
    is_warning = any(words in str(record.msg) for words in _CANCELLATIONS)
    return not is_warning and not isinstance(error, dbos_error.DBOSAwaitedWorkflowCancelledError)
