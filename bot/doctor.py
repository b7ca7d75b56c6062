"""`python -m bot doctor`: is everything as the bot needs it? A line each: ok, or what to do."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import structlog
from telegram.error import InvalidToken, TelegramError

from bot import engine_wiring, wiring
from bot.chat.application import make_bot
from bot.engines.volcengine import probe
from bot.errors import BotError
from bot.settings import Settings
from bot.terminal import explain

log = structlog.get_logger()

FREE_BYTES = 3_000_000_000
"""What the caches and models take at most, with room to spare."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        subject: What was looked at.
        ok: Whether it is as it should be.
        text: What was found, or what to do.
    """

    subject: str
    ok: bool
    text: str


async def examine(settings: Settings) -> int:
    """Print the report; returns 0 if all is well, else 2."""
    healthy = True
    async for finding in findings(settings):
        healthy = healthy and finding.ok
        print(f"{'ok ' if finding.ok else 'MEND'} {finding.subject}: {finding.text}", flush=True)
    return 0 if healthy else 2


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """All findings, as they come in."""
    yield Finding("settings", True, "all understood")
    checks: tuple[tuple[str, Callable[[Settings], Awaitable[list[Finding]]]], ...] = (
        ("disk", _disk),
        ("database", _database),
        ("Telegram", _telegram),
        ("public address", _public_address),
        ("cloud engine", _cloud),
        ("local engine", _local),
    )
    for subject, check in checks:
        try:
            found = await check(settings)
        except BotError as error:
            found = [Finding(subject, False, explain(error))]
        except OSError as error:
            found = [Finding(subject, False, f"{error.strerror or type(error).__name__}: {error.filename or subject}")]
        except Exception as error:
            log.exception("doctor_stumbled", subject=subject)  # through the log, where secrets are hidden
            found = [Finding(subject, False, f"could not be checked ({type(error).__name__}); the log says more")]
        for finding in found:
            yield finding


async def _disk(settings: Settings) -> list[Finding]:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = (await asyncio.to_thread(shutil.disk_usage, settings.data_dir)).free
    text = f"{free / 1e9:.1f} GB free where DATA_DIR is"
    if free < FREE_BYTES:
        return [Finding("disk", False, f"{text}; the caches may take 2 GB: make room, or set DATA_DIR elsewhere")]
    return [Finding("disk", True, text)]


async def _database(settings: Settings) -> list[Finding]:
    async with wiring.database(settings) as database:
        kind = "SQLite file in DATA_DIR" if database.is_sqlite else "PostgreSQL"
        return [Finding("database", True, f"{kind}, tables up to date")]


async def _telegram(settings: Settings) -> list[Finding]:
    if settings.telegram_bot_token is None:
        return [Finding("Telegram", True, "no TELEGRAM_BOT_TOKEN: `make run` starts the playground")]
    bot = make_bot(settings.telegram_bot_token.get_secret_value(), settings.telegram_api_url)
    try:
        await bot.initialize()
        found = [Finding("Telegram", True, f"the token is @{bot.username}'s")]
        webhook = await bot.get_webhook_info()
        if webhook.url and settings.telegram_updates == "polling":
            text = "a webhook is set; polling removes it at the start"
            found.append(Finding("updates", True, text))
        elif settings.telegram_updates == "webhook" and webhook.last_error_message:
            text = f"Telegram could not reach the webhook: {webhook.last_error_message}"
            found.append(Finding("updates", False, text))
    except InvalidToken:
        return [Finding("Telegram", False, "TELEGRAM_BOT_TOKEN is not a bot's token; ask @BotFather for /token")]
    except TelegramError as error:
        text = f"{settings.telegram_api_url} does not answer ({type(error).__name__}); check the network"
        return [Finding("Telegram", False, text)]
    finally:
        await bot.shutdown()
    return found


async def _public_address(settings: Settings) -> list[Finding]:
    if settings.public_url is None:
        text = "no PUBLIC_URL: /erase works by painting in Telegram's own editor, not on a canvas"
        return [Finding("public address", True, text)]
    try:
        timeout = aiohttp.ClientTimeout(total=10)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{settings.public_url}/healthz") as answer,
        ):
            if answer.status == 200:
                return [Finding("public address", True, f"{settings.public_url} leads to a running bot")]
            text = f"{settings.public_url}/healthz answers {answer.status}; does the proxy lead to the bot?"
    except (TimeoutError, aiohttp.ClientError) as error:
        text = f"{settings.public_url} cannot be reached ({type(error).__name__}); is the bot running, the name right?"
    return [Finding("public address", False, text)]


async def _cloud(settings: Settings) -> list[Finding]:
    if not settings.uses_cloud:
        reason = "ENGINE=local" if settings.engine == "local" else "no VOLC_ACCESSKEY and VOLC_SECRETKEY"
        return [Finding("cloud engine", True, f"not used ({reason}): the local engine does the work")]
    return [
        Finding("cloud engine", result.ok, result.text) for result in await probe(engine_wiring.volc_config(settings))
    ]


async def _local(settings: Settings) -> list[Finding]:
    from bot.model_files import state_of

    return [Finding("local engine", True, text) for text in state_of(settings)]
