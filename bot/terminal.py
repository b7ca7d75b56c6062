"""What the command line says and ends with: errors as one English line, and the exit codes."""

from __future__ import annotations

from bot.errors import BotError

DONE, INPUT_AT_FAULT, ENGINE_AT_FAULT = 0, 2, 3


def explain(error: BotError) -> str:
    """An error as one English line for the terminal."""
    if "text" in error.facts:
        return str(error.facts["text"])
    from bot.chat.texts import Texts

    return " ".join(Texts("en").error("en", error).split())
