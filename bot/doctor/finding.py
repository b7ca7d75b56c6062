"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.operator_text import OperatorText

Level: TypeAlias = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        subject: What was checked; the same in all languages.
        level: ``ok``, ``warn`` (works less well than it could), ``fail`` (does not work).
        text: What was found and, unless it is ok, what to do.
    """

    subject: str
    level: Level
    text: OperatorText


def ok(subject: str, template: str, **values: object) -> Finding:
    """It works."""
    return Finding(subject, "ok", OperatorText(template, **values))


def warn(subject: str, template: str, **values: object) -> Finding:
    """It works less well than it could."""
    return Finding(subject, "warn", OperatorText(template, **values))


def fail(subject: str, template: str, **values: object) -> Finding:
    """It does not work."""
    return Finding(subject, "fail", OperatorText(template, **values))
