"""Set-ups that are broken at Telegram: token, Bot API, groups, commands, the way of updates."""

from __future__ import annotations

from bot.chat.api.client import WEBHOOK_PATH
from bot.playground.updates import Webhook
from tests.cli.mistakes import TOKEN, Settings
from tests.cli.place import Broken, Place, set_and_start, setting, start_the_bot
from tests.support import free_port


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


TELEGRAM = {
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
}
"""The set-ups by their names."""
