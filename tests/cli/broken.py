"""Set-ups that are broken in one way, and what an operator does who follows the doctor's line literally."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bot.chat.api.client import WEBHOOK_PATH
from bot.playground import methods
from bot.playground.updates import Webhook
from bot.storage import migrations
from tests import forked
from tests.cli.https import Authority, Proxy
from tests.cli.mistakes import TOKEN, Settings, World, outcome, start, world_in
from tests.cloud.standin import CloudStandIn
from tests.support import free_port


@dataclass(slots=True)
class Place:
    """Where a set-up is made.

    Attributes:
        world: The servers beside the bot.
        authority: Signs the proxy's certificate.
        proxy: The https proxy of PUBLIC_URL.
        cloud: The stand-in for Volcengine.
        before: A shell command that the operator gives before each start, such as `ulimit`.
        bot: The running bot.
    """

    world: World
    authority: Authority
    proxy: Proxy
    cloud: CloudStandIn
    before: str = ""
    bot: forked.Forked | None = None

    @property
    def folder(self) -> Path:
        return self.world.folder

    def public(self, **settings: str) -> Settings:
        """The settings of a bot with a public address, and these."""
        known = {"PUBLIC_URL": self.proxy.url, "SSL_CERT_FILE": str(self.authority.file)}
        ports = {"PORT": str(self.proxy.target), "METRICS_PORT": str(free_port())}
        return self.world.with_token(**ports, **known) | settings

    async def stop_bot(self) -> None:
        """Stop the bot, if it runs."""
        if self.bot is not None:
            self.bot.terminate()
            await outcome(self.bot)
            self.bot = None


Make = Callable[[Place], Awaitable[Settings]]
Fix = Callable[[Place, Settings, str], Awaitable[Settings]]


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken set-up.

    Attributes:
        make: Makes it; returns the settings.
        subject: The subject of the doctor's line about it.
        level: ``warn`` or ``fail``.
        words: What the line has to contain, in either language: the setting's name, the command, the number.
        fix: Does what the line says; returns the settings after it. The line has to be ok then.
    """

    make: Make
    subject: str
    level: str
    words: tuple[str, ...]
    fix: Fix


@contextlib.asynccontextmanager
async def place_in(folder: Path) -> AsyncIterator[Place]:
    """The world, with an https proxy whose certificate is good and whose bot does not run."""
    (folder / "authority").mkdir()
    (folder / "bot").mkdir()
    authority = Authority(folder / "authority")
    async with contextlib.AsyncExitStack() as stack:
        world = await stack.enter_async_context(world_in(folder / "bot"))
        proxy = Proxy(authority.certify(), free_port())
        await stack.enter_async_context(proxy.serving())
        # Telegram knows only four ports for webhooks.
        stack.enter_context(mock.patch.object(methods, "WEBHOOK_PORTS", (urlsplit(proxy.url).port,)))
        place = Place(world, authority, proxy, await stack.enter_async_context(CloudStandIn()))
        stack.push_async_callback(place.stop_bot)
        yield place


# ── what the operator does ──


async def run_printed_commands(place: Place, settings: Settings, line: str) -> Settings:
    """Run each command of the line, as printed."""
    for printed in re.findall(r"`([^`]*)`", line):
        assert printed.startswith("chmod ")
        await asyncio.to_thread(subprocess.run, printed, shell=True, cwd=place.folder, check=True)
    return settings


async def set_what_is_printed(place: Place, settings: Settings, line: str) -> Settings:
    """Set the last NAME=value of the line, as printed; another set-up may have it in `.env`."""
    name, value = re.findall(r"([A-Z][A-Z_]+)=([^\s，；。：、）)“”;,]+)", line)[-1]
    return settings | {name: value}


async def give_ulimit(place: Place, settings: Settings, line: str) -> Settings:
    """Give the printed `ulimit` before the next start."""
    (command,) = re.findall(r"`(ulimit [^`]*)`", line)
    place.before = command
    return settings


async def start_the_bot(place: Place, settings: Settings, line: str) -> Settings:
    """Start the bot, again if it runs, and leave it running."""
    await place.stop_bot()
    telegram = place.world.telegram.telegram
    before = telegram.calls["setMyShortDescription"]
    place.bot = await start(place.folder, settings)
    await telegram.events.wait_until(lambda: telegram.calls["setMyShortDescription"] >= before + 3, seconds=120)
    return settings


# ── the set-ups ──


def setting(**changes: str) -> Make:
    async def make(place: Place) -> Settings:
        return place.world.with_token(**changes)

    return make


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


async def unknown_token(place: Place) -> Settings:
    return place.world.with_token(TELEGRAM_BOT_TOKEN=TOKEN)


async def set_the_bots_token(place: Place, settings: Settings, line: str) -> Settings:
    return settings | {"TELEGRAM_BOT_TOKEN": place.world.telegram.telegram.token}


async def privacy_mode_off(place: Place) -> Settings:
    place.world.telegram.telegram.privacy_mode = False
    return place.world.with_token()


async def enable_privacy_mode(place: Place, settings: Settings, line: str) -> Settings:
    place.world.telegram.telegram.privacy_mode = True
    return settings


async def other_commands(place: Place) -> Settings:
    place.world.telegram.telegram.commands[""] = [{"command": "weather", "description": "The weather"}]
    return place.world.with_token()


async def webhook_of_another_program(place: Place) -> Settings:
    place.world.telegram.telegram.updates.webhook = Webhook("https://other.example/secret-path", "", 40)
    return place.world.with_token()


async def webhook_elsewhere(place: Place) -> Settings:
    await webhook_of_another_program(place)
    return place.public(TELEGRAM_UPDATES="webhook")


async def unreachable_webhook(place: Place) -> Settings:
    settings = place.public(TELEGRAM_UPDATES="webhook")
    webhook = Webhook(f"{place.proxy.url}{WEBHOOK_PATH}", "", 40)
    webhook.fail("Wrong response from the webhook: 502 Bad Gateway")
    place.world.telegram.telegram.updates.webhook = webhook
    return settings


def with_certificate(name: str = "localhost", *, days: float = 60) -> Make:
    async def make(place: Place) -> Settings:
        place.proxy.context = await asyncio.to_thread(place.authority.certify, name, days=days)
        settings = place.public()
        await start_the_bot(place, settings, "")
        return settings

    return make


async def renew(place: Place, settings: Settings, line: str) -> Settings:
    place.proxy.context = await asyncio.to_thread(place.authority.certify)
    return settings


async def unknown_authority(place: Place) -> Settings:
    folder = place.folder.parent / "other"
    folder.mkdir()
    place.proxy.context = (await asyncio.to_thread(Authority, folder, "Unknown")).certify()
    settings = place.public()
    await start_the_bot(place, settings, "")
    return settings


async def wrong_cloud_key(place: Place) -> Settings:
    keys = place.cloud.keys
    cloud = {"ENGINE": "auto", "VOLC_ENDPOINT": place.cloud.url, "VOLC_SECRETKEY": keys.secret_key}
    return place.world.with_token(VOLC_ACCESSKEY=f"{keys.access_key}x", VOLC_SESSION_TOKEN=keys.session_token, **cloud)


async def set_the_keys(place: Place, settings: Settings, line: str) -> Settings:
    return settings | {"VOLC_ACCESSKEY": place.cloud.keys.access_key}


async def bot_that_does_not_run(place: Place) -> Settings:
    return place.public()


async def proxy_to_another_server(place: Place) -> Settings:
    settings = place.public()
    await start_the_bot(place, settings, "")
    place.proxy.target = int(place.world.page.rpartition(":")[2])
    return settings


async def lead_there(place: Place, settings: Settings, line: str) -> Settings:
    """Lead the proxy to the HOST:PORT of the line."""
    place.proxy.target = int(re.findall(r"127\.0\.0\.1:(\d+)", line)[-1])
    return settings


async def no_https(place: Place) -> Settings:
    return place.public() | {"PUBLIC_URL": place.world.page.replace("http://127.0.0.1", "https://localhost")}


async def name_the_https_port(place: Place, settings: Settings, line: str) -> Settings:
    await start_the_bot(place, settings | {"PUBLIC_URL": place.proxy.url}, line)
    return settings | {"PUBLIC_URL": place.proxy.url}


async def metrics_for_everyone(place: Place) -> Settings:
    settings = place.public()
    del settings["METRICS_PORT"]
    return await start_the_bot(place, settings, "")


async def set_and_start(place: Place, settings: Settings, line: str) -> Settings:
    return await start_the_bot(place, await set_what_is_printed(place, settings, line), line)


async def set_metrics_port(place: Place, settings: Settings, line: str) -> Settings:
    assert "METRICS_PORT=9090" in line  # which may be in use on this machine
    return await start_the_bot(place, settings | {"METRICS_PORT": str(free_port())}, line)


BROKEN = {
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
    "an unknown token": Broken(
        unknown_token, "Telegram", "fail", ("TELEGRAM_BOT_TOKEN", "@BotFather", "/token"), set_the_bots_token
    ),
    "a web page as Bot API": Broken(
        lambda place: setting(TELEGRAM_API_URL=place.world.page)(place),
        "Telegram",
        "fail",
        ("TELEGRAM_API_URL=https://api.telegram.org",),
        lambda place, settings, line: setting()(place),  # the tests reach no internet: the stand-in for it
    ),
    "a Bot API that does not answer": Broken(
        setting(TELEGRAM_API_URL=f"http://127.0.0.1:{free_port()}"),
        "Telegram",
        "fail",
        ("TELEGRAM_PROXY=socks5://",),
        lambda place, settings, line: setting()(place),
    ),
    "privacy mode that is off": Broken(
        privacy_mode_off, "groups", "warn", ("/setprivacy", "Enable"), enable_privacy_mode
    ),
    "commands of another program": Broken(other_commands, "commands", "warn", ("Telegram",), start_the_bot),
    "polling with a webhook set": Broken(
        webhook_of_another_program, "updates", "warn", ("other.example", "/newbot"), start_the_bot
    ),
    "another program's webhook": Broken(
        webhook_elsewhere, "updates", "fail", ("other.example", "/newbot"), start_the_bot
    ),
    "a webhook that is not reached": Broken(
        unreachable_webhook, "updates", "fail", ("502 Bad Gateway", "TELEGRAM_UPDATES=polling"), set_and_start
    ),
    "a cloud key that is not valid": Broken(
        wrong_cloud_key, "cloud engine", "fail", ("100009", "VOLC_ACCESSKEY"), set_the_keys
    ),
    "an expired certificate": Broken(
        with_certificate(days=-1), "public address", "fail", ("localhost", "certbot renew"), renew
    ),
    "a certificate that ends soon": Broken(
        with_certificate(days=5.5), "public address", "warn", ("localhost", " 5 ", "certbot renew"), renew
    ),
    "a certificate for another name": Broken(
        with_certificate("other.example"), "public address", "fail", ("certbot -d localhost",), renew
    ),
    "a certificate of an unknown authority": Broken(
        unknown_authority, "public address", "fail", ("fullchain.pem",), renew
    ),
    "a proxy whose bot does not run": Broken(
        bot_that_does_not_run, "public address", "fail", ("502", "127.0.0.1:"), start_the_bot
    ),
    "a proxy that leads elsewhere": Broken(
        proxy_to_another_server, "public address", "fail", ("/app", "404", "127.0.0.1:"), lead_there
    ),
    "metrics for everyone": Broken(
        metrics_for_everyone, "public address", "warn", ("/metrics", "METRICS_PORT"), set_metrics_port
    ),
    "a port without https": Broken(no_https, "public address", "fail", ("PUBLIC_URL",), name_the_https_port),
}
"""The set-ups by their names."""
