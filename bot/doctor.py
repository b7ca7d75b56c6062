"""`python -m bot doctor`: checks settings, disk, memory, database, Telegram, the public address and the engines.

One line each: ``ok``; ``warn`` works, but less well than it could; ``FIX`` does not work. The last two say what to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import aiohttp
import structlog
from telegram.error import InvalidToken, TelegramError

from bot import engine_wiring, wiring
from bot.chat.api.flood_limiter import FloodLimiter
from bot.chat.application import make_bot
from bot.engines.volcengine import probe
from bot.errors import BotError
from bot.model_files import missing_segmenter, usable
from bot.settings import Settings
from bot.telegram_clock import TOLERANCE, seconds_ahead
from bot.terminal import ExitCode, explain

log = structlog.get_logger()

Level: TypeAlias = Literal["ok", "warn", "fail"]

_LEVEL_NAMES: dict[Level, str] = {"ok": "ok ", "warn": "warn", "fail": "FIX "}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        subject: What was checked.
        level: ``ok``, ``warn`` (works less well than it could), ``fail`` (does not work).
        text: What was found, or what to do.
    """

    subject: str
    level: Level
    text: str


async def print_report(settings: Settings) -> int:
    """Print all findings; returns the exit code, which is 0 unless something does not work."""
    healthy = True
    async for finding in findings(settings):
        healthy = healthy and finding.level != "fail"
        print(f"{_LEVEL_NAMES[finding.level]} {finding.subject}: {finding.text}", flush=True)
    return ExitCode.DONE if healthy else ExitCode.INPUT_ERROR


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """All findings, as the checks end."""
    yield Finding("settings", "ok", "all valid")
    checks: tuple[tuple[str, Callable[[Settings], Awaitable[list[Finding]]]], ...] = (
        ("disk", _disk),
        ("memory", _memory),
        ("database", _database),
        ("Telegram", _telegram),
        ("clock", _clock),
        ("public address", _public_address),
        ("cloud engine", _cloud),
        ("local engine", _local),
    )
    for subject, check in checks:
        try:
            found = await check(settings)
        except BotError as error:
            found = [Finding(subject, "fail", explain(error))]
        except OSError as error:
            found = [Finding(subject, "fail", f"{error.strerror or type(error).__name__}: {error.filename or subject}")]
        except Exception as error:
            log.exception("doctor_check_failed", subject=subject)  # the log hides secrets
            found = [Finding(subject, "fail", f"could not be checked ({type(error).__name__}); the log says more")]
        for finding in found:
            yield finding


async def _disk(settings: Settings) -> list[Finding]:
    use = await asyncio.to_thread(wiring.data_folder(settings).measure, await _reusable_bytes(settings))
    taken = f"DATA_DIR takes {use.used / 1e9:.1f} of {use.bound / 1e9:.1f} GB"
    text = f"{use.free / 1e9:.1f} GB free where DATA_DIR is; {taken}"
    if use.is_full:
        advice = "no new photos are accepted: make room, raise DATA_MAX_MB, or lower RETENTION_HOURS"
        return [Finding("disk", "fail", f"{text}; {advice}")]
    if use.warning is not None:
        return [Finding("disk", "warn", f"{text}; {use.warning}: make room, or raise DATA_MAX_MB")]
    if use.free < use.bound - use.used:
        advice = "the disk is smaller than DATA_MAX_MB: make room, or lower it"
        return [Finding("disk", "warn", f"{text}; {advice}")]
    return [Finding("disk", "ok", text)]


async def _reusable_bytes(settings: Settings) -> int:
    """Free bytes inside SQLite's file; 0 if the database cannot be opened, which is the next check's finding."""
    try:
        async with wiring.open_database(settings) as database:
            return await database.reusable_bytes()
    except BotError:
        return 0


async def _memory(settings: Settings) -> list[Finding]:
    plan = engine_wiring.memory_plan(settings, settings.workers)
    advice = engine_wiring.memory_advice(plan, settings)
    if advice is not None:
        return [Finding("memory", "warn", f"{plan.total_mb} MB: {advice}")]
    return [Finding("memory", "ok", f"{plan.total_mb} MB, enough for {plan.processes} photos at a time")]


async def _database(settings: Settings) -> list[Finding]:
    async with wiring.open_database(settings) as database:
        kind = "SQLite file in DATA_DIR" if database.is_sqlite else "PostgreSQL"
        return [Finding("database", "ok", f"{kind}, tables up to date")]


async def _telegram(settings: Settings) -> list[Finding]:
    if settings.telegram_bot_token is None:
        return [Finding("Telegram", "ok", "no TELEGRAM_BOT_TOKEN: `make run` starts the playground")]
    bot = make_bot(
        settings.telegram_bot_token.get_secret_value(),
        settings.telegram_api_url,
        FloodLimiter(),
        settings.telegram_proxy_address,
    )
    try:
        await bot.initialize()
        found = [Finding("Telegram", "ok", f"the token belongs to @{bot.username}")]
        webhook = await bot.get_webhook_info()
        if webhook.url and settings.telegram_updates == "polling":
            text = "a webhook is set; polling removes it when the bot starts"
            found.append(Finding("updates", "ok", text))
        elif settings.telegram_updates == "webhook" and webhook.last_error_message:
            text = f"Telegram could not reach the webhook: {webhook.last_error_message}"
            found.append(Finding("updates", "fail", text))
    except InvalidToken:
        return [
            Finding(
                "Telegram",
                "fail",
                "Telegram does not know TELEGRAM_BOT_TOKEN; ask @BotFather for /token",
            )
        ]
    except TelegramError as error:
        text = f"{settings.telegram_api_url} does not answer ({type(error).__name__}); check the network"
        return [Finding("Telegram", "fail", text)]
    finally:
        await bot.shutdown()
    return found


async def _clock(settings: Settings) -> list[Finding]:
    if settings.telegram_bot_token is None:
        return []
    try:
        ahead = await seconds_ahead(settings.telegram_api_url)
    except (TimeoutError, aiohttp.ClientError):
        return []  # the check of Telegram says so
    if ahead is None:
        return [Finding("clock", "ok", "not compared: the Bot API server sends no date")]
    if abs(ahead) <= TOLERANCE:
        return [Finding("clock", "ok", "agrees with Telegram's")]
    where = "ahead of" if ahead > 0 else "behind"
    text = f"this machine's is {abs(ahead):.0f} s {where} Telegram's; set it, such as by `timedatectl set-ntp true`"
    return [Finding("clock", "fail", text)]


async def _public_address(settings: Settings) -> list[Finding]:
    if settings.public_url is None:
        text = "no PUBLIC_URL: /erase works by painting in Telegram's own editor, not on a canvas"
        return [Finding("public address", "ok", text)]
    try:
        timeout = aiohttp.ClientTimeout(total=10)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{settings.public_url}/healthz") as answer,
        ):
            if answer.status == 200:
                return [Finding("public address", "ok", f"{settings.public_url} leads to a running bot")]
            text = f"{settings.public_url}/healthz answers {answer.status}; does the proxy lead to the bot?"
    except (TimeoutError, aiohttp.ClientError) as error:
        text = f"{settings.public_url} cannot be reached ({type(error).__name__}); is the bot running, the name right?"
    return [Finding("public address", "fail", text)]


async def _cloud(settings: Settings) -> list[Finding]:
    if not settings.uses_cloud:
        reason = "ENGINE=local" if settings.engine == "local" else "no VOLC_ACCESSKEY and VOLC_SECRETKEY"
        return [Finding("cloud engine", "ok", f"not used ({reason}): the local engine does the work")]
    results = await probe(engine_wiring.volc_config(settings))
    return [Finding("cloud engine", "ok" if result.ok else "fail", result.text) for result in results]


async def _local(settings: Settings) -> list[Finding]:
    missing = missing_segmenter(settings)
    if missing is not None:
        return [Finding("local engine", "warn", missing)]
    return [Finding("local engine", "ok", f"works, with the learned models {', '.join(usable(settings))}")]
