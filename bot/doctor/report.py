"""Runs the checks and prints what they find: a line each, or one JSON document.

A line begins with ``ok``; ``warn``: works, but less well than it could; ``FIX``: does not work. The last two say what
to do. These words, and the subjects in JSON, are the same in all languages, so that scripts can rely on them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeAlias

import structlog

from bot.doctor import address, engines, machine, telegram
from bot.doctor.finding import Finding, Level, fail, ok
from bot.errors import BotError
from bot.operator_text import OperatorText, system_reason
from bot.settings import Settings
from bot.terminal import ExitCode, explain, show, tr

log = structlog.get_logger()

_LEVEL_NAMES: dict[Level, str] = {"ok": "ok ", "warn": "warn", "fail": "FIX "}

Check: TypeAlias = Callable[[Settings], Awaitable[list[Finding]]]

CHECKS: tuple[tuple[str, Check], ...] = (
    ("permissions", machine.permissions),
    ("disk", machine.disk),
    ("memory", machine.memory),
    ("open files", machine.open_files),
    ("database", machine.database),
    ("Telegram", telegram.telegram),
    ("clock", telegram.clock),
    ("public address", address.public_address),
    ("cloud engine", engines.cloud),
    ("local engine", engines.local),
)
"""All checks, with the subject of a check that could not be made."""


async def print_report(settings: Settings, *, as_json: bool = False) -> int:
    """Print all findings; returns the exit code, which is 0 unless something does not work.

    Args:
        settings: All settings.
        as_json: Print one JSON document at the end, instead of a line for each finding as it comes.
    """
    found = []
    async for finding in findings(settings):
        found.append(finding)
        if not as_json:
            show(_line(finding))
    if as_json:
        _print_json(found)
    return ExitCode.INPUT_ERROR if any(finding.level == "fail" for finding in found) else ExitCode.DONE


def print_settings_error(error: BotError) -> None:
    """Print the JSON document about a setting that is wrong: no check can be made."""
    _print_json([Finding("settings", "fail", OperatorText("{fault}", fault=explain(error)))])


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """All findings, as the checks end."""
    yield ok("settings", "all valid")
    for subject, check in CHECKS:
        try:
            found = await check(settings)
        except BotError as error:
            found = [fail(subject, "{fault}", fault=error.facts.get("text") or explain(error))]
        except OSError as error:
            text = "{reason}: {file}; do what the line about permissions says"
            found = [fail(subject, text, reason=system_reason(error), file=error.filename or subject)]
        except Exception as error:
            log.exception("doctor_check_failed", subject=subject)  # the log hides secrets
            found = [
                fail(subject, "could not be checked ({kind}); the log on stderr says more", kind=type(error).__name__)
            ]
        for finding in found:
            yield finding


def _line(finding: Finding) -> str:
    line = OperatorText("{subject}: {text}", subject=OperatorText(finding.subject), text=finding.text)
    return f"{_LEVEL_NAMES[finding.level]} {tr(line)}"


def _print_json(found: Sequence[Finding]) -> None:
    document = [{"subject": f.subject, "title": tr(f.subject), "level": f.level, "text": tr(f.text)} for f in found]
    is_unicode = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    show(json.dumps(document, ensure_ascii=not is_unicode, indent=2))
