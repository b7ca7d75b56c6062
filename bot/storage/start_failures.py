"""Words for a database that cannot be used, for the operator.

The driver's own text is never shown: it may hold the address with its password.
"""

from __future__ import annotations

import sqlalchemy as sa

from bot.errors import OperatorError
from bot.operator_text import OperatorText, system_reason
from bot.storage.migrations import NewerTablesError

_EXAMPLE = "DATABASE_URL=postgresql://bot:secret@localhost/bot"

_REPLACE = OperatorText("put a copy back, or move it away to begin with an empty one")

_POSTGRES = (
    ("authentication failed", OperatorText("refuses the user or the password")),
    ("no pg_hba.conf entry", OperatorText("does not let this machine in (pg_hba.conf)")),
    ("permission denied", OperatorText("does not let the user make tables; make it the owner of the database")),
    (
        "invalid uri query parameter",
        OperatorText("cannot be asked: the address has an unknown option after the question mark"),
    ),
    (
        "invalid connection option",
        OperatorText("cannot be asked: the address has an unknown option after the question mark"),
    ),
    ("read-only transaction", OperatorText("is read-only (a standby?)")),
    ("resolve", OperatorText("does not answer: its name is not known here")),
)
"""Parts of PostgreSQL's messages, in lower case, and what the database does."""


def unreadable_address() -> OperatorError:
    """DATABASE_URL cannot be read at all."""
    text = OperatorText(
        "DATABASE_URL: is not an address; in a password write %40 for @, %2F for / and %3A for :; for example "
        "{example}",
        example=_EXAMPLE,
    )
    return OperatorError("wrong-setting", text=text)


def unusable_folder(error: OSError, setting: str) -> OperatorError:
    """The folder of a SQLite file cannot be made.

    Args:
        error: What the file system said.
        setting: The setting that named the folder.
    """
    text = OperatorText(
        "{setting}: the database cannot be opened: {reason} ({file}); name a file in a folder that the bot's user can "
        "write to",
        setting=setting,
        reason=system_reason(error),
        file=error.filename,
    )
    return OperatorError("wrong-setting", text=text)


def explain(error: Exception, url: sa.URL, setting: str) -> OperatorError | None:
    """What the operator can do about an error at the start; None: it is not the operator's.

    Args:
        error: What the migrations raised.
        url: The database.
        setting: The setting that named it.
    """
    is_sqlite = url.get_backend_name() == "sqlite"
    if isinstance(error, NewerTablesError):
        reason = OperatorText("is of a newer version of this program; start that version, or use another database")
    elif isinstance(error, sa.exc.DBAPIError):
        reason = _sqlite_reason(error) if is_sqlite else _postgres_reason(error)
    else:
        return None
    if is_sqlite:
        text = OperatorText(
            "{setting}: the database {name} {reason}", setting=setting, name=url.database, reason=reason
        )
    else:
        text = OperatorText(
            "{setting}: the database {name} at {host}:{port} {reason}",
            setting=setting,
            name=url.database,
            host=url.host or "localhost",
            port=url.port or 5432,
            reason=reason,
        )
    return OperatorError("wrong-setting", text=text)


def _sqlite_reason(error: sa.exc.DBAPIError) -> OperatorText:
    text = str(error.orig).lower()
    if "not a database" in text:
        return OperatorText("is not a SQLite database; {advice}", advice=_REPLACE)
    if "malformed" in text or "disk i/o error" in text:
        return OperatorText("is damaged; {advice}", advice=_REPLACE)
    if "already exists" in text or "no such" in text:
        return OperatorText("belongs to another program, or lost a table; use another file")
    if "full" in text:
        return OperatorText("cannot be written to: the disk is full; make room")
    if "locked" in text:
        return OperatorText("is held by another process; stop it")
    if "readonly" in text:
        return OperatorText("is read-only for the bot's user; make the user its owner")
    return OperatorText("cannot be opened or written to; is it a file, and do the bot's user and its folder allow it?")


def _postgres_reason(error: sa.exc.DBAPIError) -> OperatorText:
    text = str(error.orig).lower()
    if 'database "' in text and "does not exist" in text:
        return OperatorText("does not exist; make it with createdb")
    for part, reason in _POSTGRES:
        if part in text:
            return OperatorText("{reason}; for example {example}", reason=reason, example=_EXAMPLE)
    if isinstance(error, sa.exc.ProgrammingError):
        return OperatorText("has tables of another program; use another database")
    return OperatorText("does not answer; is it running, the address right? For example {example}", example=_EXAMPLE)
