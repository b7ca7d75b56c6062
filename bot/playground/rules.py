"""Telegram's checks of texts, captions, keyboards and commands."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from bot.playground.errors import bad_request

MAX_TEXT, MAX_CAPTION, MAX_ANSWER, MAX_CALLBACK_DATA = 4096, 1024, 200, 64
"""Characters of a text, a caption and a callback answer; bytes of callback data (docs/telegram.md#message-lengths)."""

MAX_BUTTONS, MAX_BUTTONS_IN_ROW = 100, 8

_REACTIONS = """
👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤️‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓
🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂️ 🤷 🤷‍♀️ 😡
"""
REACTIONS = frozenset(_REACTIONS.split())
"""The emoji that can be reactions (docs/telegram.md#reactions)."""

_ACTIONS = ("callback_data", "url", "web_app", "switch_inline_query", "switch_inline_query_current_chat", "copy_text")
_COMMAND_NAME = re.compile(r"[a-z0-9_]{1,32}")


class Parameters:
    """The parameters of a call: strings, some of which contain JSON."""

    def __init__(self, given: dict[str, str], uploads: dict[str, tuple[str, bytes]]) -> None:
        self._given = given
        self.uploads = uploads

    def text(self, name: str) -> str | None:
        """A string; None if it is missing."""
        return self._given.get(name)

    def number(self, name: str) -> int | None:
        """An integer; None if it is missing."""
        value = self._given.get(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except ValueError:
            raise bad_request(f"{name} is invalid") from None

    def flag(self, name: str) -> bool:
        """A boolean; False if it is missing."""
        return self._given.get(name, "").lower() in ("true", "1")

    def chat(self) -> int:
        """``chat_id``."""
        value = self.number("chat_id")
        if value is None:
            raise bad_request("chat_id is empty")
        return value

    def json(self, name: str) -> Any:
        """A JSON value; None if it is missing."""
        value = self._given.get(name)
        if value is None or value == "":
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None


def message_text(text: str | None) -> str:
    """Check and trim a message's text."""
    trimmed = (text or "").strip()
    if not trimmed:
        raise bad_request("message text is empty")
    if len(trimmed) > MAX_TEXT:
        raise bad_request("message is too long")
    return trimmed


def caption(text: str | None) -> str:
    """Check and trim a caption."""
    trimmed = (text or "").strip()
    if len(trimmed) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return trimmed


def keyboard(markup: Any, *, private: bool) -> dict[str, Any] | None:
    """Check an inline keyboard; None if it has no buttons.

    Args:
        markup: The bot's reply_markup.
        private: Whether the chat is private; in groups web_app buttons are refused
            (docs/telegram.md#opening-the-mini-app).

    Raises:
        BotApiError: Telegram would refuse it.
    """
    if markup is None:
        return None
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    if not isinstance(rows, list):
        raise bad_request("object expected as reply markup")
    rows = [row for row in rows if row]
    if sum(len(row) for row in rows) > MAX_BUTTONS or any(len(row) > MAX_BUTTONS_IN_ROW for row in rows):
        raise bad_request("reply markup is too long")
    for row in rows:
        for button in row:
            _check_button(button, private=private)
    return {"inline_keyboard": rows} if rows else None


def _check_button(button: Any, *, private: bool) -> None:
    if not isinstance(button, dict) or not str(button.get("text", "")).strip():
        raise bad_request("text buttons are unallowed in the inline keyboard")
    actions = [name for name in _ACTIONS if name in button]
    if len(actions) != 1:
        raise bad_request("text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= MAX_CALLBACK_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and urlsplit(str(button["url"])).scheme not in ("http", "https", "tg"):
        raise bad_request("BUTTON_URL_INVALID")
    if "web_app" in button:
        if not private:
            raise bad_request("BUTTON_TYPE_INVALID")
        web_app_url(button["web_app"])


def web_app_url(web_app: Any) -> str:
    """Check a Mini App's address: https, or http on this machine, which has no certificate."""
    url = str(web_app.get("url", "")) if isinstance(web_app, dict) else ""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return url
    raise bad_request(f"inline keyboard button Web App URL '{url}' is invalid: only HTTPS links are allowed")


def reaction(given: Any) -> str | None:
    """Check a bot's reaction: one emoji, or none; custom and paid ones are refused."""
    if given is not None and not (isinstance(given, list) and all(isinstance(one, dict) for one in given)):
        raise bad_request("can't parse reaction types JSON object")
    if not given:
        return None
    if len(given) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    if given[0].get("type") != "emoji" or given[0].get("emoji") not in REACTIONS:
        raise bad_request("REACTION_INVALID")
    return str(given[0]["emoji"])


def commands(given: Any) -> list[dict[str, str]]:
    """Check the commands of setMyCommands."""
    if not isinstance(given, list) or len(given) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH" if isinstance(given, list) else "can't parse list of bot commands")
    for command in given:
        if not isinstance(command, dict) or not _COMMAND_NAME.fullmatch(str(command.get("command", ""))):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return given
