"""Logging: one line for each event, for people or for machines, without secrets.

structlog's events and the libraries' messages go through one handler. Secrets are removed from the formatted line,
because a token may be part of addresses, arguments and tracebacks. See docs/decisions.md#structured-logs.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Iterable

import structlog

BOT_TOKEN = re.compile(r"\b\d{5,20}:[A-Za-z0-9_-]{25,100}")
"""Any bot token: this bot's, or one that a person pasted into the chat."""

CREDENTIALS = re.compile(
    r"\b(?:[Tt][Mm][Aa]|[Bb]earer|BEARER)\s+[^\s'\"\\]{8,}"  # Authorization headers: initData, session tokens
    r"|\b(?:hash|signature)(?:=|%3D)[0-9a-zA-Z_%-]{16,}"  # initData
    r"|(?<=(?i:secret-token): )[\w-]{1,256}|(?<=(?i:secret-token):)[\w-]{1,256}"  # the webhook's header
    r"|\b[1-9]\d{0,15}\.\d{1,12}\.\d{1,12}\.[A-Za-z0-9-]{0,35}\.[A-Za-z0-9_-]{43}"  # session tokens: webapp/tokens.py
)
"""What people's pages send to prove who they are."""

HIDDEN = "[hidden]"

REPEAT_SECONDS = 60.0
MAX_REPEATS = 5
"""How often a library may repeat a message within `REPEAT_SECONDS`; one more line says that there are more. Without
file descriptors asyncio writes a traceback for each connection that it cannot accept: 243 MB in some minutes."""

_THROTTLED = ("asyncio", "aiohttp.server", "dbos")

_NO_DATABASE = re.compile(
    r"connection (to server .*)?failed|connection is (bad|closed|lost)|server closed the connection"
    r"|consuming input failed|terminating connection|the database system is|could not receive data"
    r"|SSL connection has been closed"
)
"""How PostgreSQL's driver says that the database does not answer, in what DBOS logs: twenty lines a second, with their
tracebacks. `bot.storage.outage` logs the outage; of DBOS's lines one of each kind remains."""

_FULL_DISK = "database or disk is full"
"""How SQLite says so. DBOS's threads write it as a message, with its traceback; the error of an edit stays whole."""


def hider(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that hides secrets in a text: those given, and whatever looks like a token or a proof of identity.

    Args:
        secrets: Values to hide. Those of under 6 characters are ignored: they would match much of the log.
    """
    known = sorted({re.escape(secret) for secret in secrets if len(secret) >= 6}, key=len, reverse=True)
    pattern = re.compile("|".join([*known, BOT_TOKEN.pattern, CREDENTIALS.pattern]))
    return lambda text: pattern.sub(HIDDEN, text)


class RedactingFormatter(logging.Formatter):
    """Formats with another formatter and hides secrets in the result.

    Args:
        inner: The other formatter.
        secrets: Values to hide, as for `hider`.
        style: ``console`` or ``json``, for `current_level_and_style`.
    """

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str], style: str = "console") -> None:
        super().__init__()
        self.style = style
        self._inner = inner
        self._hidden = hider(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The formatted line."""
        return self._hidden(self._inner.format(record))


class LibraryFilter(logging.Filter):
    """Shortens what libraries write about other people's mistakes and about outages, and drops what they repeat.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._series: dict[tuple[str, str, str], tuple[float, int]] = {}
        """By logger, message and kind of error: when the series began, and how many came."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        if not record.name.startswith(_THROTTLED):
            return True
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and any(kind.__name__ == "HttpProcessingError" for kind in type(error).__mro__):
            # A malformed request is the client's mistake; the traceback repeats what the client sent.
            record.exc_info, record.levelno, record.levelname = None, logging.INFO, "INFO"
            record.msg, record.args = "malformed request from %s", record.args
        most = 0 if record.name.startswith("dbos") and _shorten(record) else MAX_REPEATS
        key = (record.name, str(record.msg)[:80], type(error).__name__)
        began, count = self._series.get(key, (self._clock(), 0))
        if self._clock() - began >= REPEAT_SECONDS:
            began, count = self._clock(), 0
        if len(self._series) > 100:
            self._series.clear()
        self._series[key] = (began, count + 1)
        if count == most:
            record.msg = f"{record.msg} (further ones within {REPEAT_SECONDS:.0f} s are not logged)"
        return count <= most


def _shorten(record: logging.LogRecord) -> bool:
    """Remove from a line of DBOS the fields that are always the same, and all but the cause from one about an outage.

    Returns:
        Whether the line says that the database does not answer, or that its disk is full.
    """
    for field in ("applicationID", "applicationVersion", "executorID"):
        record.__dict__.pop(field, None)
    error = record.exc_info[1] if record.exc_info else None
    lines = [*record.getMessage().splitlines(), *(str(error).splitlines() if error is not None else [])]
    causes = [line for line in lines if _NO_DATABASE.search(line) or (error is None and _FULL_DISK in line)]
    if not causes:
        return False
    first = lines[0].removesuffix("Traceback (most recent call last):")
    record.msg = first if causes[-1] == lines[0] else f"{first.rstrip()} {causes[-1]}"
    record.args, record.exc_info, record.exc_text = None, None, None
    return True


def configure(level: str, style: str, secrets: Iterable[str]) -> None:
    """Set up logging for the whole process.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        style: ``console`` or ``json``.
        secrets: Values to hide in every line.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor]
    if style == "json":
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        # Plain tracebacks: the rich ones show local variables, which may hold people's photos and the bot's keys.
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter(formatter, secrets, style))
    handler.addFilter(LibraryFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("dbos").handlers[:] = [logging.NullHandler()]  # else it adds its own, past this one
    logging.getLogger("dbos").propagate = True
    for chatty in ("telegram", "httpx", "aiohttp.access", "alembic", "dbos", "asyncio", "PIL"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def current_level_and_style() -> tuple[str, str] | None:
    """Level and style that `configure` has set, for child processes; None if it was not called."""
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler.formatter, RedactingFormatter):
            return logging.getLevelName(root.level), handler.formatter.style
    return None
