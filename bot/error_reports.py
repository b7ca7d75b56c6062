"""Sends errors of the log to Sentry, if the operator wishes: a copy of what the log says, without secrets.

A report contains the event's name and fields, such as the edit's id, and the traceback without local variables. No
photo, no text of a person and no secret is in it: reports pass through the same filter as the log (`bot.logs.hider`).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any, Literal, cast

import sentry_sdk
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import event_from_exception

from bot import __version__

STOP_SECONDS = 2.0
"""How long the end of the program waits for reports that are on their way."""

MAX_WAITING = 100
"""Reports that wait to be sent; further ones are dropped. Sentry's answer to too many is honoured by its library."""

OWN_FIELDS = frozenset({"event", "level", "timestamp", "logger", "exc_info"})
"""Fields of the log's events that a report has places of its own for."""


def start(dsn: str, hidden: Callable[[str], str]) -> Callable[[], None]:
    """Report errors from now on.

    Nothing is sent but what the log says at level ERROR: no request is recorded, and no library is observed.

    Args:
        dsn: The project's address at Sentry, or at a server that speaks its protocol.
        hidden: Hides secrets in a text.

    Returns:
        A function that ends it, and waits up to STOP_SECONDS for what is on its way.
    """

    def without_secrets(event: Event, _hint: Hint) -> Event:
        return cast("Event", _with_texts(event, hidden))

    sentry_sdk.init(
        dsn=dsn,
        release=f"photo-cleaning-bot@{__version__}",
        before_send=without_secrets,
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        include_source_context=False,
        send_client_reports=False,
        auto_session_tracking=False,
        max_breadcrumbs=0,
        server_name="bot",
        transport_queue_size=MAX_WAITING,
        shutdown_timeout=STOP_SECONDS,
    )
    handler = Reporter(logging.ERROR)
    logging.getLogger().addHandler(handler)

    def stop() -> None:
        logging.getLogger().removeHandler(handler)
        sentry_sdk.get_client().close(timeout=STOP_SECONDS)

    return stop


class Reporter(logging.Handler):
    """Reports the log's errors."""

    def emit(self, record: logging.LogRecord) -> None:
        """Report one of them. A failure is left to `logging`: the log goes on."""
        if record.name.startswith(("sentry_sdk", "urllib3")):
            return  # a report that cannot be sent must not make another
        try:
            sentry_sdk.capture_event(report(record))
        except Exception:  # noqa: BLE001 -- as the handlers of the standard library do
            self.handleError(record)


def report(record: logging.LogRecord) -> Event:
    """An event of the log as one of Sentry."""
    fields: dict[str, Any] = record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
    error = _error(record.exc_info or fields.get("exc_info"))
    event: Event = {}
    if error is not None:
        event, _ = event_from_exception(error, client_options=sentry_sdk.get_client().options)
    level: Literal["fatal", "error"] = "fatal" if record.levelno >= logging.CRITICAL else "error"
    event["level"] = level
    event["logger"] = record.name
    event["logentry"] = {"message": str(fields.get("event"))}
    event["extra"] = {name: str(value) for name, value in fields.items() if name not in OWN_FIELDS}
    if "edit" in fields:
        event["tags"] = {"edit": str(fields["edit"])}
    return event


def _error(given: object) -> BaseException | None:
    """The exception of an event; True, which structlog leaves to its renderer, is the one that is being handled."""
    if given is True:
        given = sys.exc_info()
    if isinstance(given, tuple):
        given = given[1]
    return given if isinstance(given, BaseException) else None


def _with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """A copy of a JSON value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _with_texts(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_texts(inner, change) for inner in value]
    return value
