"""Checks of what Telegram knows of the bot: its token, groups, commands, how updates come; and of the clock."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from telegram import WebhookInfo
from telegram.error import InvalidToken, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.chat.api.client import WEBHOOK_PATH, make_bot
from bot.chat.api.flood_limiter import FloodLimiter
from bot.chat.api.transport import NotBotApiError
from bot.chat.commands import commands_in_menu
from bot.doctor.finding import Finding, fail, ok, warn
from bot.outbound_proxy import CONNECTION_ERRORS
from bot.settings import Settings
from bot.telegram_clock import TOLERANCE, seconds_ahead
from bot.texts import LANGUAGES, Texts

MANY_UPDATES = 100
"""Updates that wait at Telegram: more are no short pause of the bot."""

RECENT = 900.0
"""Seconds for which a failed delivery counts although no update waits: Telegram keeps the last error for ever."""


async def telegram(settings: Settings) -> list[Finding]:
    """The token, and what Telegram knows of its bot."""
    if settings.telegram_bot_token is None:
        return [ok("Telegram", "no TELEGRAM_BOT_TOKEN: `make run` starts the playground")]
    bot = make_bot(
        settings.telegram_bot_token.get_secret_value(),
        settings.telegram_api_url,
        FloodLimiter(),
        settings.telegram_proxy_address,
    )
    found: list[Finding] = []
    try:
        await bot.initialize()
        found.append(ok("Telegram", "the token belongs to @{name}", name=bot.username))
        found.append(_groups(bot))
        found.append(await _commands(bot, settings))
        found.append(_updates(await bot.get_webhook_info(), settings))
    except InvalidToken:
        text = "Telegram does not know TELEGRAM_BOT_TOKEN; ask @BotFather for /token and set what it answers"
        found.append(fail("Telegram", text))
    except NotBotApiError:
        text = "TELEGRAM_API_URL: {address} is no Bot API server; for example TELEGRAM_API_URL=https://api.telegram.org"
        found.append(fail("Telegram", text, address=settings.telegram_api_url))
    except RetryAfter as error:
        text = "Telegram asks to wait {seconds} s, as after too many requests; then try again"
        found.append(fail("Telegram", text, seconds=f"{_seconds(error):.0f}"))
    except TelegramError as error:
        text = (
            "{address} does not answer ({kind}); check the network, or set TELEGRAM_PROXY where Telegram is blocked, "
            "such as TELEGRAM_PROXY=socks5://127.0.0.1:1080"
        )
        if settings.telegram_proxy is not None:
            text = (
                "{address} does not answer through TELEGRAM_PROXY ({kind}); check that the proxy runs and its address"
            )
        found.append(fail("Telegram", text, address=settings.telegram_api_url, kind=type(error).__name__))
    finally:
        await bot.shutdown()
    return found


def _seconds(error: RetryAfter) -> float:
    pause = error.retry_after
    return pause if isinstance(pause, int | float) else pause.total_seconds()


def _groups(bot: ExtBot[None]) -> Finding:
    if not bot.can_join_groups:
        return ok("groups", "the bot cannot be added to groups; @BotFather changes that by /setjoingroups")
    if bot.can_read_all_group_messages:
        return warn(
            "groups",
            "privacy mode is off: Telegram sends the bot all that people write in its groups, and it needs only "
            "commands and replies; in @BotFather /setprivacy, choose @{name}, Enable, then add it to its groups again",
            name=bot.username,
        )
    return ok("groups", "privacy mode is on: in groups the bot sees only commands and replies to it, which is enough")


async def _commands(bot: ExtBot[None], settings: Settings) -> Finding:
    texts, sells = Texts(settings.language), bool(settings.stars_packs)
    there = {code: list(await bot.get_my_commands(language_code=code or None)) for code in ("", *LANGUAGES)}
    menus = {language: commands_in_menu(texts, language, sells=sells) for language in LANGUAGES}
    # The default menu may be in any language: LANGUAGE may have been set just for the doctor.
    if there[""] in menus.values() and all(there[language] == menu for language, menu in menus.items()):
        return ok("commands", "Telegram's menu has all {count}", count=len(there[""]))
    if not any(there.values()):
        return ok("commands", "none in Telegram's menu yet: the bot sets them when it starts")
    text = "Telegram's menu has others than this version's: the bot sets its own when it starts, so start it again"
    return warn("commands", text)


def _updates(info: WebhookInfo, settings: Settings) -> Finding:
    """How updates come: by polling or by webhook, as the settings say, or otherwise."""
    host, waiting = urlsplit(info.url).hostname or "?", info.pending_update_count  # its path may hold a secret
    if settings.telegram_updates == "polling" and info.url:
        return warn(
            "updates",
            "polling is set, and Telegram sends updates to a webhook at {host}: the bot removes it when it starts; if "
            "another program uses this token, stop that, or make a bot of its own with @BotFather's /newbot",
            host=host,
        )
    if settings.telegram_updates == "webhook":
        fault = _webhook_fault(info, f"{settings.public_url}{WEBHOOK_PATH}", host)
        if fault is not None:
            return fault
    if waiting > MANY_UPDATES:
        return warn("updates", "{count} wait at Telegram: start the bot if it does not run", count=waiting)
    if settings.telegram_updates == "webhook":
        return ok("updates", "come by webhook; {count} wait", count=waiting)
    return ok("updates", "come by polling; {count} wait", count=waiting)


def _webhook_fault(info: WebhookInfo, address: str, host: str) -> Finding | None:
    if not info.url:
        return warn("updates", "no webhook is set: the bot sets it when it starts, so start it")
    if info.url != address:
        return fail(
            "updates",
            "Telegram sends them to another webhook, at {host}: start this bot, which sets its own; if another program "
            "uses this token, stop that, or make a bot of its own with @BotFather's /newbot",
            host=host,
        )
    age = time.time() - info.last_error_date.timestamp() if info.last_error_date else 0.0
    if info.last_error_message and (info.pending_update_count or age < RECENT):
        return fail(
            "updates",
            "Telegram could not reach the webhook: “{error}”, {count} updates wait; start the bot, do what the line "
            "about the public address says, or set TELEGRAM_UPDATES=polling",
            error=info.last_error_message,
            count=info.pending_update_count,
        )
    return None


async def clock(settings: Settings) -> list[Finding]:
    """This machine's clock against Telegram's."""
    if settings.telegram_bot_token is None:
        return []
    try:
        ahead = await seconds_ahead(settings.telegram_api_url, proxy=settings.telegram_proxy_address)
    except CONNECTION_ERRORS:
        return []  # the check of Telegram says so
    if ahead is None:
        return [ok("clock", "not compared: the Bot API server sends no date")]
    if abs(ahead) <= TOLERANCE:
        return [ok("clock", "agrees with Telegram's")]
    text = "this machine's is {seconds} s behind Telegram's; set it, such as by `timedatectl set-ntp true`"
    if ahead > 0:
        text = "this machine's is {seconds} s ahead of Telegram's; set it, such as by `timedatectl set-ntp true`"
    return [fail("clock", text, seconds=f"{abs(ahead):.0f}")]
