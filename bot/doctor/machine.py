"""Checks of this machine: files and their permissions, disk, memory, open files, database."""

from __future__ import annotations

import asyncio
import os
import pwd
import shlex
import stat
from pathlib import Path

import sqlalchemy as sa

from bot import engine_wiring, storage_wiring
from bot.data_dir import make_writable
from bot.doctor.finding import Finding, fail, ok, warn
from bot.errors import BotError
from bot.settings import Settings
from bot.storage.migrations import State
from webapp.connections import (
    FEW_FILES,
    FEWEST_CONNECTIONS,
    MAX_CONNECTIONS,
    RESERVED_FILES,
    WANTED_FILES,
    possible_file_limit,
)

ENV_FILE = Path(".env")

SPARE = 0.9
"""Share of the disk that is advised for DATA_DIR: the rest is for what else is written there."""


async def permissions(settings: Settings) -> list[Finding]:
    """Who can read the secrets and the people's data, and whether the bot can write.

    Raises:
        OperatorError: Nothing can be written in DATA_DIR.
    """
    return await asyncio.to_thread(_permissions, settings.data_dir)


def _permissions(folder: Path) -> list[Finding]:
    make_writable(folder)
    found = []
    if ENV_FILE.is_file() and _is_open_to_others(ENV_FILE):
        text = ".env holds secrets, and every user of this machine can read it: `chmod 600 .env`"
        found.append(warn("permissions", text))
    if _is_open_to_others(folder):
        text = "every user of this machine can look into DATA_DIR: `chmod 700 {folder}`"
        found.append(warn("permissions", text, folder=shlex.quote(str(folder))))
    owner, me = folder.stat().st_uid, os.geteuid()
    if owner != me:
        text = (
            "DATA_DIR belongs to {owner}, and this is {me}: what is written now may stay closed to the bot; run this "
            "as `sudo -u {owner} …`, or `chown -R {me} {folder}` if the bot runs as {me}"
        )
        values = {"owner": _user(owner), "me": _user(me), "folder": shlex.quote(str(folder))}
        found.append(warn("permissions", text, **values))
    closed = sorted(path.name for path in folder.iterdir() if not os.access(path, os.W_OK))
    if "lost+found" in closed:  # of a disk of its own
        closed.remove("lost+found")
    if closed:
        text = "{me} cannot write to {files} in DATA_DIR: `sudo chown -R {me} {folder}` and `chmod -R u+rwX {folder}`"
        found.append(fail("permissions", text, me=_user(me), files=", ".join(closed), folder=shlex.quote(str(folder))))
    return found or [ok("permissions", "DATA_DIR can be written to, and is closed to other users")]


def _is_open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IXOTH))


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # in a container the user often has no name
        return str(number)


async def disk(settings: Settings) -> list[Finding]:
    """Room on the disk, and in DATA_DIR's bound."""
    use = await asyncio.to_thread(storage_wiring.data_folder(settings).measure, await _reusable_bytes(settings))
    values = {"free": f"{use.free / 1e9:.1f}", "used": f"{use.used / 1e9:.1f}", "bound": f"{use.bound / 1e9:.1f}"}
    state = ok("disk", "{free} GB free where DATA_DIR is; DATA_DIR takes {used} of {bound} GB", **values)
    if use.is_full:
        advice = "{state}; no new photos are accepted: make room, raise DATA_MAX_MB, or lower RETENTION_HOURS"
        return [fail("disk", advice, state=state.text)]
    if use.warning is not None:
        return [warn("disk", "{state}; it is nearly full: make room, or raise DATA_MAX_MB", state=state.text)]
    if use.free < use.bound - use.used:
        most = max(200, int(SPARE * (use.free + use.used) / 1e6))
        advice = "{state}; the disk is smaller than DATA_MAX_MB: make room, or set DATA_MAX_MB={most}"
        return [warn("disk", advice, state=state.text, most=most)]
    return [state]


async def _reusable_bytes(settings: Settings) -> int:
    """Free bytes inside SQLite's file; 0 if the database cannot be opened, which is a later check's finding."""
    try:
        async with storage_wiring.open_unmigrated_database(settings) as database:
            return await database.reusable_bytes()
    except (BotError, sa.exc.DBAPIError):
        return 0


async def memory(settings: Settings) -> list[Finding]:
    """Memory for as many photos at a time, and as large ones, as the settings allow."""
    plan = engine_wiring.memory_plan(settings, settings.workers)
    advice = engine_wiring.memory_advice(plan, settings)
    if advice is not None:
        return [warn("memory", "{mb} MB: {advice}", mb=plan.total_mb, advice=advice)]
    return [ok("memory", "{mb} MB, enough for {count} photos at a time", mb=plan.total_mb, count=plan.processes)]


async def open_files(_: Settings) -> list[Finding]:
    """The limit of file descriptors: the web server gets what the rest of the bot does not need."""
    limit = possible_file_limit()
    connections = max(FEWEST_CONNECTIONS, min(MAX_CONNECTIONS, limit - RESERVED_FILES))
    advice = (
        "{limit} are allowed, of which the bot itself needs {reserved}: `ulimit -n {wanted}` before the start, "
        "LimitNOFILE={wanted} in systemd's unit, or `--ulimit nofile={wanted}` for a container"
    )
    values = {"limit": limit, "reserved": RESERVED_FILES, "wanted": WANTED_FILES}
    if limit < RESERVED_FILES + FEWEST_CONNECTIONS:
        return [fail("open files", advice, **values)]
    if limit < FEW_FILES:
        return [warn("open files", advice, **values)]
    return [ok("open files", "enough for {count} connections at a time", count=connections)]


async def database(settings: Settings) -> list[Finding]:
    """The database's version, and whether it can be written to. Tables are not changed."""
    async with storage_wiring.open_unmigrated_database(settings) as database:
        state = await database.check()
        kind = ok("database", "SQLite file in DATA_DIR") if database.is_sqlite else ok("database", "PostgreSQL")
    if settings.database_url is not None and database.is_sqlite:
        kind = ok("database", "SQLite file of DATABASE_URL")
    if state is State.OLDER:
        advice = "{kind}, tables of an older version: the next start updates them; make a backup before"
        return [warn("database", advice, kind=kind.text)]
    if state is State.EMPTY:
        return [ok("database", "{kind}, empty and writable: the first start makes the tables", kind=kind.text)]
    return [ok("database", "{kind}, writable, tables up to date", kind=kind.text)]
