"""The command line's exit codes, the terminal's language, and output that may go into a pipe which is closed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import TextIO

from bot.errors import BotError
from bot.texts import first_supported
from bot.texts.operator_texts import translated


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
    READER_GONE = 141
    """The reader of the output has closed it, such as `head`; the shells' number for SIGPIPE."""


LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Variables of the terminal's language, the strongest first (POSIX, 8.2)."""


def language() -> str:
    """The terminal's language: the setting LANGUAGE, else the locale's if the bot speaks it, else English.

    It is read without the other settings: a wrong one of them has to be explained, too.
    """
    wanted = choose_language(os.environ, _language_in_file())
    return wanted if _can_show(wanted, sys.stdout) and _can_show(wanted, sys.stderr) else "en"


def choose_language(environment: Mapping[str, str], in_file: str | None = None) -> str:
    """The language by LANGUAGE, in the environment or in `.env`, else by the locale's variables.

    Args:
        environment: The environment's variables.
        in_file: LANGUAGE in `.env`; None: it is not there.
    """
    # Names of settings are read in any case, as pydantic-settings does; it ignores empty values, too.
    named = next((value for name, value in environment.items() if name.upper() == "LANGUAGE" and value), in_file)
    locale = next((environment[name] for name in LOCALE_VARIABLES if environment.get(name)), "")
    return first_supported(named or "") or first_supported(locale) or "en"


def _language_in_file() -> str | None:
    path = Path(".env")
    if not path.is_file():
        return None
    return _read_language(path.absolute(), path.stat().st_mtime_ns)


@cache
def _read_language(path: Path, _changed: int) -> str | None:
    """LANGUAGE in a file of settings, read again only when it has changed: every text asks for the language."""
    from dotenv import dotenv_values

    try:
        found = dotenv_values(path, encoding="utf-8")
    except (OSError, UnicodeError):  # reading the settings says so
        return None
    return next((value for name, value in found.items() if name.upper() == "LANGUAGE" and value), None)


def _can_show(wanted: str, stream: TextIO) -> bool:
    """Whether a stream's encoding has the language's letters."""
    if wanted == "en":
        return True
    try:
        "中文，：".encode(stream.encoding or "utf-8")  # a text in memory has none
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def tr(text: str) -> str:
    """A text for the operator in the terminal's language."""
    return translated(text, language())


def explain(error: BotError) -> str:
    """An error as one line for the terminal, in its language."""
    if "text" in error.facts:
        text = error.facts["text"]
        return tr(text if isinstance(text, str) else str(text))
    from bot.texts import Texts

    return " ".join(Texts(language()).error(language(), error).split())


def show(text: str) -> None:
    """Print a line on stdout.

    Raises:
        SystemExit: The reader has closed the pipe: the command ends, without a traceback.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _discard(sys.stdout)
        raise SystemExit(ExitCode.READER_GONE) from None


def complain(text: str) -> None:
    """Print a line on stderr. The command goes on if the reader has closed the pipe."""
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        _discard(sys.stderr)


def flush() -> None:
    """Write out what was printed; a pipe that its reader has closed is no error. Python would report one at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            _discard(stream)


def _discard(stream: TextIO) -> None:
    """Send what is still written to a closed pipe nowhere (docs.python.org/3/library/signal.html#note-on-sigpipe)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
