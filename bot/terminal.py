"""The command line's exit codes, and errors as one English line."""

from __future__ import annotations

from enum import IntEnum

from bot.errors import BotError


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    INPUT_ERROR = 2
    """An argument, a setting, or a file that the command was given."""
    ENGINE_ERROR = 3
    """The engine failed, or found no subject."""
    STOP_FORCED = 4
    """SIGTERM, and something hung for too long: Telegram, or the database."""
    INTERRUPTED = 130
    """Ctrl-C; the shells' number for SIGINT."""


def explain(error: BotError) -> str:
    """An error as one English line for the terminal."""
    if "text" in error.facts:
        return str(error.facts["text"])
    from bot.texts import Texts  # takes long to import, and only errors need it

    return " ".join(Texts("en").error("en", error).split())
