"""Several tries of an edit's pixel work, and whose fault it is when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.edits.model import Edit
from bot.edits.pictures.files import full_disk_as_outage
from bot.errors import OutageError, UnusableInputError, WorkerDiedError, WorkerKilledError, WorldError

T = TypeVar("T")
log = structlog.get_logger()

MAX_ATTEMPTS = 3
"""Tries of pixel work after a `WorldError`; then the edit fails."""


async def with_retries(edit: Edit, work: Callable[[], Awaitable[T]]) -> T:
    """Try pixel work up to `MAX_ATTEMPTS` times: a worker may crash for a reason other than this photo.

    Args:
        edit: Whose work it is.
        work: The work; it is called once a try.

    Raises:
        OutageError: The photo is not the cause: the workers are killed from outside, or have too much to do.
        UnusableInputError: ``photo-poison``: the worker crashed each time.
        WorldError: The last try's error.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            with full_disk_as_outage():
                return await work()
        except OutageError:
            raise  # the step is repeated later
        except WorkerKilledError as error:
            raise OutageError(error.message_id, **error.facts) from error
        except WorldError as error:
            log.warning("edit_attempt_failed", edit=edit.id, attempt=attempt, reason=str(error))
            if attempt == MAX_ATTEMPTS:
                if isinstance(error, WorkerDiedError):
                    raise UnusableInputError("photo-poison") from error
                raise
        await asyncio.sleep(0.2 * attempt)
    raise AssertionError("unreachable")
