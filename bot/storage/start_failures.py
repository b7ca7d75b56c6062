"""Words for a database that cannot be used, for the operator.

The driver's own text is never shown: it may hold the address with its password.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.util import CommandError

from bot.errors import OperatorError

_EXAMPLE = "for example DATABASE_URL=postgresql://bot:secret@localhost/bot"

_POSTGRES = (
    ("authentication failed", "refuses the user or the password"),
    ("no pg_hba.conf entry", "does not let this machine in (pg_hba.conf)"),
    ("permission denied", "does not let the user make tables; make it the owner of the database"),
    ("invalid uri query parameter", "cannot be asked: the address has an unknown option after the question mark"),
    ("invalid connection option", "cannot be asked: the address has an unknown option after the question mark"),
    ("read-only transaction", "is read-only (a standby?)"),
    ("resolve", "does not answer: its name is not known here"),
)
"""Parts of PostgreSQL's messages, in lower case, and what the database does."""


def unreadable_address() -> OperatorError:
    """DATABASE_URL cannot be read at all."""
    advice = "in a password write %40 for @, %2F for / and %3A for :"
    return OperatorError("wrong-setting", text=f"DATABASE_URL: is not an address; {advice}; {_EXAMPLE}")


def unusable_folder(error: OSError, setting: str) -> OperatorError:
    """The folder of a SQLite file cannot be made.

    Args:
        error: What the file system said.
        setting: The setting that named the folder.
    """
    text = f"{setting}: the database cannot be opened: {error.strerror} ({error.filename})"
    return OperatorError("wrong-setting", text=text)


def explain(error: Exception, url: sa.URL, setting: str) -> OperatorError | None:
    """What the operator can do about an error at the start; None: it is not the operator's.

    Args:
        error: What the migrations raised.
        url: The database.
        setting: The setting that named it.
    """
    if isinstance(error, CommandError):
        reason = "is of a newer version of this program; start that version, or use another database"
    elif isinstance(error, sa.exc.DBAPIError):
        reason = _sqlite_reason(error) if url.get_backend_name() == "sqlite" else _postgres_reason(error)
    else:
        return None
    where = "" if url.get_backend_name() == "sqlite" else f" at {url.host or 'localhost'}:{url.port or 5432}"
    return OperatorError("wrong-setting", text=f"{setting}: the database {url.database}{where} {reason}")


def _sqlite_reason(error: sa.exc.DBAPIError) -> str:
    text = str(error.orig).lower()
    move = "put a copy back, or move it away to begin with an empty one"
    if "not a database" in text:
        return f"is not a SQLite database; {move}"
    if "malformed" in text or "disk i/o error" in text:
        return f"is damaged; {move}"
    if "already exists" in text or "no such" in text:
        return "belongs to another program, or lost a table; use another file"
    if "full" in text:
        return "cannot be written to: the disk is full; make room"
    if "locked" in text:
        return "is held by another process; stop it"
    if "readonly" in text:
        return "is read-only for the bot's user; make the user its owner"
    return "cannot be opened or written to; is it a file, and do the bot's user and its folder allow it?"


def _postgres_reason(error: sa.exc.DBAPIError) -> str:
    text = str(error.orig).lower()
    if 'database "' in text and "does not exist" in text:
        return "does not exist; make it with createdb"
    for part, reason in _POSTGRES:
        if part in text:
            return f"{reason}; {_EXAMPLE}"
    if isinstance(error, sa.exc.ProgrammingError):
        return "has tables of another program; use another database"
    return f"does not answer; is it running, the address right? {_EXAMPLE}"
