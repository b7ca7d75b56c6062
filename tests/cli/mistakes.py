"""The mistakes of an operator that `test_operator_mistakes` makes, and the world that they are made in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from aiohttp import web

from bot.playground import TelegramServer
from tests import forked
from tests.cli.conftest import environment
from tests.support import free_port

PASSWORD = "a-secret-pass-word"
TOKEN = "123456789:AAunknown-token-that-does-not-exist0"
Settings = dict[str, str]


@dataclass(slots=True)
class World:
    """Servers beside a bot that starts.

    Attributes:
        folder: The bot's working directory; its DATA_DIR is `data` in it.
        telegram: The stand-in for Telegram.
        page: Address of a web server that is no Bot API.
        api: Address of a JSON API that is no Bot API.
        silent_port: A port that accepts connections and never answers.
        busy_port: A port on which another server listens.
    """

    folder: Path
    telegram: TelegramServer
    page: str
    api: str
    silent_port: int
    busy_port: int

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def with_token(self, **settings: str) -> Settings:
        """The settings of a bot that the stand-in knows, and these."""
        known = {"TELEGRAM_BOT_TOKEN": self.telegram.telegram.token, "TELEGRAM_API_URL": self.telegram.url}
        return known | {"PORT": str(free_port())} | settings


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake.

    Attributes:
        make: Prepares the world and returns the settings.
        setting: The setting that the answer has to begin with.
        words: Words that it has to contain.
    """

    make: Callable[[World], Settings]
    setting: str
    words: str


def database(address: str) -> Callable[[World], Settings]:
    return lambda world: world.with_token(DATABASE_URL=address.replace("SILENT", str(world.silent_port)))


def setting(**settings: str) -> Callable[[World], Settings]:
    return lambda world: world.with_token(**settings)


def garbage_file(world: World) -> Settings:
    world.data.mkdir()
    (world.data / "bot.sqlite").write_bytes(b"this is no database" * 500)
    return world.with_token()


def cut_off_file(world: World) -> Settings:
    world.data.mkdir()
    path = world.data / "bot.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE filler (x)")
        connection.executemany("INSERT INTO filler VALUES (?)", [("x" * 3000,)] * 50)
        connection.commit()
    os.truncate(path, 4096 + 100)
    return world.with_token()


def newer_version(world: World) -> Settings:
    world.data.mkdir()
    with contextlib.closing(sqlite3.connect(world.data / "bot.sqlite")) as connection:
        connection.execute("CREATE TABLE schema_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO schema_version VALUES ('9999')")
        connection.commit()
    return world.with_token()


def other_program(world: World) -> Settings:
    world.data.mkdir()
    with contextlib.closing(sqlite3.connect(world.data / "bot.sqlite")) as connection:
        connection.execute("CREATE TABLE edits (title TEXT)")
        connection.commit()
    return world.with_token()


def database_in_a_folder(world: World) -> Settings:
    return world.with_token(DATABASE_URL=f"sqlite:///{world.folder}")


def database_under_a_file(world: World) -> Settings:
    (world.folder / "file").touch()
    return world.with_token(DATABASE_URL="sqlite:///file/bot.sqlite")


def data_dir_is_a_file(world: World) -> Settings:
    world.data.touch()
    return world.with_token()


def scratch_is_a_file(world: World) -> Settings:
    world.data.mkdir()
    (world.data / "scratch").touch()
    return world.with_token()


def unknown_token(world: World) -> Settings:
    return world.with_token(TELEGRAM_BOT_TOKEN=TOKEN)


def port_in_use(world: World) -> Settings:
    return world.with_token(PORT=str(world.busy_port))


def refused_webhook(world: World) -> Settings:
    return world.with_token(TELEGRAM_UPDATES="webhook", PUBLIC_URL="https://photos.example.org:8444")


MISTAKES = {
    "a database port that is no number": Mistake(
        database(f"postgresql://bot:{PASSWORD}@localhost:port/bot"), "DATABASE_URL", "not an address"
    ),
    "a password with an at sign": Mistake(
        database(f"postgresql://bot:half@{PASSWORD}@localhost/bot"), "DATABASE_URL", "%40"
    ),
    "an unknown scheme": Mistake(database(f"mysql://bot:{PASSWORD}@localhost/bot"), "DATABASE_URL", "postgresql://"),
    "a database that does not listen": Mistake(
        database(f"postgresql://bot:{PASSWORD}@127.0.0.1:{free_port()}/bot"), "DATABASE_URL", "does not answer"
    ),
    "a database host that does not resolve": Mistake(
        database(f"postgresql://bot:{PASSWORD}@nowhere.invalid/bot"), "DATABASE_URL", "nowhere.invalid"
    ),
    "a database that never answers": Mistake(
        database(f"postgresql://bot:{PASSWORD}@127.0.0.1:SILENT/bot"), "DATABASE_URL", "does not answer"
    ),
    "an unknown option of the database": Mistake(
        database(f"postgresql://bot:{PASSWORD}@127.0.0.1:{free_port()}/bot?colour=red"), "DATABASE_URL", "option"
    ),
    "a database in memory": Mistake(database("sqlite:///:memory:"), "DATABASE_URL", "a file"),
    "a database without a name": Mistake(database("sqlite:///"), "DATABASE_URL", "a file"),
    "a folder as the database": Mistake(database_in_a_folder, "DATABASE_URL", "cannot be opened"),
    "a database under a file": Mistake(database_under_a_file, "DATABASE_URL", "cannot be opened"),
    "a garbage database file": Mistake(garbage_file, "DATA_DIR", "not a SQLite database"),
    "a cut-off database file": Mistake(cut_off_file, "DATA_DIR", "damaged"),
    "a database of a newer version": Mistake(newer_version, "DATA_DIR", "newer version"),
    "a database of another program": Mistake(other_program, "DATA_DIR", "another program"),
    "DATA_DIR is a file": Mistake(data_dir_is_a_file, "DATA_DIR", "folder"),
    "DATA_DIR under a file": Mistake(setting(DATA_DIR="/dev/null/data"), "DATA_DIR", "folder"),
    "DATA_DIR where nothing can be written": Mistake(setting(DATA_DIR="/proc/data"), "DATA_DIR", "folder"),
    "a file where DATA_DIR has a folder": Mistake(scratch_is_a_file, "DATA_DIR", "scratch"),
    "an unknown token": Mistake(unknown_token, "TELEGRAM_BOT_TOKEN", "@BotFather"),
    "a token that is none": Mistake(
        setting(TELEGRAM_BOT_TOKEN=TOKEN.replace(":", "-")), "TELEGRAM_BOT_TOKEN", "is not a bot token"
    ),
    "a port in use": Mistake(port_in_use, "PORT", "in use"),
    "a host that does not resolve": Mistake(setting(HOST="nowhere.invalid"), "HOST", "nowhere.invalid"),
    "a host that is an address": Mistake(setting(HOST="http://127.0.0.1"), "HOST", "HOST=127.0.0.1"),
    "a host of another machine": Mistake(setting(HOST="192.0.2.1"), "HOST", "192.0.2.1"),
    "a webhook that Telegram refuses": Mistake(refused_webhook, "PUBLIC_URL", "8443"),
    "a public address with a wrong port": Mistake(setting(PUBLIC_URL="https://host:port"), "PUBLIC_URL", "address"),
    "a web page as Bot API": Mistake(
        lambda world: world.with_token(TELEGRAM_API_URL=world.page), "TELEGRAM_API_URL", "no Bot API server"
    ),
    "a JSON API as Bot API": Mistake(
        lambda world: world.with_token(TELEGRAM_API_URL=world.api), "TELEGRAM_API_URL", "no Bot API server"
    ),
    "a redirect as Bot API": Mistake(
        lambda world: world.with_token(TELEGRAM_API_URL=f"{world.page}/moved"), "TELEGRAM_API_URL", "no Bot API server"
    ),
    "a Bot API with a wrong port": Mistake(
        setting(TELEGRAM_API_URL="http://localhost:port"), "TELEGRAM_API_URL", "address"
    ),
}


@contextlib.asynccontextmanager
async def world_in(folder: Path) -> AsyncIterator[World]:
    """Start the servers."""

    async def page(request: web.Request) -> web.Response:
        if request.path.startswith("/moved"):
            raise web.HTTPMovedPermanently("/elsewhere")
        return web.Response(status=404, text="<html>Not Found</html>", content_type="text/html")

    async def api(_request: web.Request) -> web.Response:
        return web.json_response({"detail": "Not Found"}, status=404)

    async with contextlib.AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(TelegramServer())
        addresses = [await stack.enter_async_context(_served(answer)) for answer in (page, api)]
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        busy = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        yield World(folder, telegram, *addresses, silent.getsockname()[1], busy.getsockname()[1])


@contextlib.asynccontextmanager
async def _served(answer: Callable[[web.Request], object]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)  # type: ignore[arg-type]
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def start(folder: Path, settings: Settings, command: str = "run") -> forked.Forked:
    """Start `python -m bot run`; unclosed resources are told on stderr."""
    values = environment(WORKERS="1", PYTHONWARNINGS="default", **settings)
    return forked.start(command, folder=folder, environment=values)


async def outcome(process: forked.Forked) -> tuple[int, str]:
    """Wait for its end; returns the exit code and all that it wrote."""
    try:
        async with asyncio.timeout(200):  # far longer than a start takes on a busy machine
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, output.decode()


def check_is_clean(output: str) -> None:
    """No traceback, nothing unclosed, no secret."""
    # A process that ends at once leaves its semaphores to Python's resource tracker, which says so.
    lines = [line for line in output.splitlines() if "resource_tracker" not in line and "warnings.warn(" not in line]
    output = "\n".join(lines)
    for unwanted in ("Traceback", "Unclosed", "unclosed", "Warning", "never awaited", PASSWORD, TOKEN.split(":")[1]):
        assert unwanted not in output, output


def require_password(url: str) -> str:
    """Let the PostgreSQL at `url` ask a new role for its password; returns the address with a wrong one."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE visitor LOGIN PASSWORD 'right'")
        row = connection.execute("SHOW hba_file").fetchone()
        assert row is not None
        rules = Path(row[0])
        rules.write_text("host all visitor 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        connection.execute("SELECT pg_reload_conf()")
    return url.replace("bot@", f"visitor:{PASSWORD}@")
