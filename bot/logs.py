"""Logging: one line an event, for people or for machines, and never a secret in it.

Everything goes through one handler, structlog's events and the libraries' messages alike, and secrets are taken out of
the finished line: a token hides in addresses, arguments and tracebacks.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable

import structlog

BOT_TOKEN = re.compile(r"\b\d{5,20}:[A-Za-z0-9_-]{25,100}")
"""What every bot token looks like, ours or one that a person pasted into the chat."""

HIDDEN = "[hidden]"


class Redacting(logging.Formatter):
    """Formats by another formatter and hides secrets in the result.

    Args:
        inner: Who formats.
        secrets: What must not appear; short ones (under 6 letters) are not looked for, they would hide half the log.
        style: ``console`` or ``json``, for `in_use`.
    """

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str], style: str = "console") -> None:
        super().__init__()
        self.style = style
        self._inner = inner
        known = sorted({re.escape(secret) for secret in secrets if len(secret) >= 6}, key=len, reverse=True)
        self._pattern = re.compile("|".join([*known, BOT_TOKEN.pattern]))

    def format(self, record: logging.LogRecord) -> str:
        """The finished line."""
        return self._pattern.sub(HIDDEN, self._inner.format(record))


def configure(level: str, style: str, secrets: Iterable[str]) -> None:
    """Set up logging for the whole process.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        style: ``console`` or ``json``.
        secrets: What must not appear in any line.
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
        # Plain tracebacks: the pretty ones show local variables, and with them people's photos and the bot's keys.
        plain = structlog.dev.plain_traceback
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting(formatter, secrets, style))
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


def in_use() -> tuple[str, str] | None:
    """Level and style that this process logs with, for its child processes; None where `configure` was not called."""
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler.formatter, Redacting):
            return logging.getLevelName(root.level), handler.formatter.style
    return None
