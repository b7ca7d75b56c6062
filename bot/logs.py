"""Logging: one line for each event, for people or for machines, without secrets.

structlog's events and the libraries' messages go through one handler. Secrets are removed from the formatted line,
because a token may be part of addresses, arguments and tracebacks. See docs/decisions.md#structured-logs.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable

import structlog

BOT_TOKEN = re.compile(r"\b\d{5,20}:[A-Za-z0-9_-]{25,100}")
"""Any bot token: this bot's, or one that a person pasted into the chat."""

HIDDEN = "[hidden]"


class RedactingFormatter(logging.Formatter):
    """Formats with another formatter and hides secrets in the result.

    Args:
        inner: The other formatter.
        secrets: Values to hide. Those of under 6 characters are ignored: they would match much of the log.
        style: ``console`` or ``json``, for `current_level_and_style`.
    """

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str], style: str = "console") -> None:
        super().__init__()
        self.style = style
        self._inner = inner
        known = sorted({re.escape(secret) for secret in secrets if len(secret) >= 6}, key=len, reverse=True)
        self._pattern = re.compile("|".join([*known, BOT_TOKEN.pattern]))

    def format(self, record: logging.LogRecord) -> str:
        """The formatted line."""
        return self._pattern.sub(HIDDEN, self._inner.format(record))


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
    last: structlog.typing.Processor
    if style == "json":
        last = structlog.processors.JSONRenderer(ensure_ascii=False)
        shared.append(structlog.processors.format_exc_info)
    else:
        # Plain tracebacks: the rich ones show local variables, which may hold people's photos and the bot's keys.
        plain = structlog.dev.plain_traceback
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter(formatter, secrets, style))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
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
