"""Where the doctor's broken set-ups are made, and what an operator does who follows its line literally."""

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

from bot.playground import methods
from tests import forked
from tests.cli.https import Authority, Proxy
from tests.cli.mistakes import Settings, World, outcome, start, world_in
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


async def set_and_start(place: Place, settings: Settings, line: str) -> Settings:
    """Set what is printed, and start the bot with it."""
    return await start_the_bot(place, await set_what_is_printed(place, settings, line), line)


# ── the simplest set-up ──


def setting(**changes: str) -> Make:
    """Set these settings, besides a token that is right."""

    async def make(place: Place) -> Settings:
        return place.world.with_token(**changes)

    return make
