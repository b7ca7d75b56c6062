"""Set-ups that are broken on the machine: permissions, disk, memory, open files, database."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bot.storage import migrations
from tests.cli.mistakes import Settings, outcome, start
from tests.cli.place import Broken, Place, give_ulimit, run_printed_commands, set_what_is_printed, setting


async def readable_secrets(place: Place) -> Settings:
    settings = place.world.with_token()
    path = place.folder / ".env"
    path.write_text(f"TELEGRAM_BOT_TOKEN={settings.pop('TELEGRAM_BOT_TOKEN')}\n")
    path.chmod(0o644)
    return settings


async def readable_data(place: Place) -> Settings:
    place.world.data.mkdir()
    place.world.data.chmod(0o755)
    return place.world.with_token()


async def data_is_a_file(place: Place) -> Settings:
    place.world.data.touch()
    return place.world.with_token()


async def disk_too_small(place: Place) -> Settings:
    return place.world.with_token(DATA_MAX_MB=str(10**9))


async def few_files(place: Place) -> Settings:
    place.before = "ulimit -n 300"
    return place.world.with_token()


async def garbage_database(place: Place) -> Settings:
    place.world.data.mkdir(mode=0o700)
    (place.world.data / "bot.sqlite").write_bytes(b"this is no database" * 500)
    return place.world.with_token()


async def move_it_away(place: Place, settings: Settings, line: str) -> Settings:
    place.world.data.joinpath("bot.sqlite").rename(place.folder / "moved.sqlite")
    return settings


async def older_database(place: Place) -> Settings:
    place.world.data.mkdir(mode=0o700)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = sa.create_engine(f"sqlite:///{place.world.data / 'bot.sqlite'}")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0015")
        connection.commit()
    engine.dispose()
    return place.world.with_token()


async def start_once(place: Place, settings: Settings, line: str) -> Settings:
    await outcome(await start(place.folder, settings, "sweep"))
    return settings


MACHINE = {
    "secrets that everybody can read": Broken(
        readable_secrets, "permissions", "warn", (".env", "chmod 600"), run_printed_commands
    ),
    "data that everybody can read": Broken(
        readable_data, "permissions", "warn", ("DATA_DIR", "chmod 700 data"), run_printed_commands
    ),
    "a file where the data should be": Broken(
        data_is_a_file, "permissions", "fail", ("DATA_DIR=bot-data",), set_what_is_printed
    ),
    "a disk smaller than the bound": Broken(disk_too_small, "disk", "warn", ("DATA_MAX_MB",), set_what_is_printed),
    "more workers than memory": Broken(
        setting(WORKERS="8", MEMORY_MB="4000"), "memory", "warn", ("WORKERS=2", "MAX_MEGAPIXELS"), set_what_is_printed
    ),
    "photos larger than memory": Broken(
        setting(WORKERS="1", MEMORY_MB="1000"), "memory", "warn", ("MAX_MEGAPIXELS=12",), set_what_is_printed
    ),
    "few open files": Broken(few_files, "open files", "warn", ("300", "ulimit -n 2250", "LimitNOFILE"), give_ulimit),
    "a garbage database": Broken(garbage_database, "database", "fail", ("DATA_DIR", "SQLite"), move_it_away),
    "a database of an older version": Broken(older_database, "database", "warn", ("SQLite",), start_once),
}
"""The set-ups by their names."""
