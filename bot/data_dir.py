"""DATA_DIR: made, checked, and kept for one bot."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import structlog

from bot.errors import OperatorError
from bot.file_locks import lock_file
from bot.operator_text import OperatorText, system_reason

log = structlog.get_logger()

LOCK = "bot.lock"

_TRIED_BYTES = 8192
"""Two blocks: a full disk may still take an empty file."""


def make_writable(folder: Path) -> None:
    """Make DATA_DIR, readable for its owner alone, and write a file in it for a try.

    Raises:
        OperatorError: It is no folder, or nothing can be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        text = OperatorText(
            "DATA_DIR: {folder} is not a writable folder ({reason}); let the bot's user write there, move away what is "
            "in the way, or set another, for example DATA_DIR={example}",
            folder=folder,
            reason=system_reason(error),
            example="bot-data" if folder.name == "data" and not folder.is_absolute() else "data",
        )
        raise OperatorError("wrong-setting", text=text) from None
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            file.write(bytes(_TRIED_BYTES))
    except OSError as error:
        raise unwritable(folder, error) from None


def unwritable(folder: Path, error: OSError) -> OperatorError:
    """The error of a DATA_DIR in which something cannot be written."""
    text = OperatorText(
        "DATA_DIR: the folder {folder} cannot be written to: {reason} ({file}); make room, let the bot's user write "
        "there, or set another DATA_DIR",
        folder=folder,
        reason=system_reason(error),
        file=error.filename or folder,
    )
    return OperatorError("wrong-setting", text=text)


@contextlib.contextmanager
def only_bot(folder: Path, sqlite_file: Path | None) -> Iterator[None]:
    """Keep other bots away from DATA_DIR, and from a SQLite file elsewhere, until the block ends.

    Workers on PostgreSQL and the short commands take no lock: they share the folder with the bot.

    Args:
        folder: DATA_DIR.
        sqlite_file: The database; None: it is PostgreSQL.

    Raises:
        OperatorError: Another bot runs there.
    """
    with contextlib.ExitStack() as held:
        paths = [("DATA_DIR", folder / LOCK)]
        if sqlite_file is not None:
            paths.append(("DATABASE_URL", sqlite_file.with_name(f"{sqlite_file.name}.lock")))
        for setting, path in paths:
            try:
                held.enter_context(lock_file(path))
            except BlockingIOError:
                raise _in_use(setting, path) from None
            except OSError as error:  # a network file system without locks
                log.warning("not_locked", file=str(path), reason=error.strerror, advice="run one bot here, not two")
        yield


def _in_use(setting: str, path: Path) -> OperatorError:
    if setting == "DATA_DIR":
        text = OperatorText(
            "{setting}: another bot runs on {what}; stop it, or give this one another {setting}",
            setting=setting,
            what=path.parent,
        )
    else:
        text = OperatorText(
            "{setting}: another bot runs on the database beside {what}; stop it, or give this one another {setting}",
            setting=setting,
            what=path,
        )
    return OperatorError("wrong-setting", text=text)
