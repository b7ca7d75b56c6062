"""What Telegram checks before it does anything: texts, captions, keyboards, commands."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from bot.playground.refusals import bad

TEXT, CAPTION, ANSWER, CALLBACK_DATA = 4096, 1024, 200, 64
"""Characters of a message, a caption, a button's answer; bytes of callback data (Bot API)."""

BUTTONS, BUTTONS_IN_ROW = 100, 8

_ACTIONS = ("callback_data", "url", "web_app", "switch_inline_query", "switch_inline_query_current_chat", "copy_text")
_COMMAND_NAME = re.compile(r"[a-z0-9_]{1,32}")


class Parameters:
    """A call's parameters: strings from a form, with JSON in some of them."""

    def __init__(self, given: dict[str, str], uploads: dict[str, tuple[str, bytes]]) -> None:
        self._given = given
        self.uploads = uploads

    def text(self, name: str) -> str | None:
        """A string; None where it was not given."""
        return self._given.get(name)

    def number(self, name: str) -> int | None:
        """A whole number; None where it was not given."""
        value = self._given.get(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except ValueError:
            raise bad(f"{name} is invalid") from None

    def flag(self, name: str) -> bool:
        """A truth value; false where it was not given."""
        return self._given.get(name, "").lower() in ("true", "1")

    def chat(self) -> int:
        """``chat_id``."""
        value = self.number("chat_id")
        if value is None:
            raise bad("chat_id is empty")
        return value

    def json(self, name: str) -> Any:
        """A JSON value; None where it was not given."""
        value = self._given.get(name)
        if value is None or value == "":
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad(f"can't parse {name} JSON object") from None


def message_text(text: str | None) -> str:
    """A message's text as Telegram takes it: trimmed, not empty, not too long."""
    trimmed = (text or "").strip()
    if not trimmed:
        raise bad("message text is empty")
    if len(trimmed) > TEXT:
        raise bad("message is too long")
    return trimmed


def caption(text: str | None) -> str:
    """A caption as Telegram takes it: trimmed, not too long."""
    trimmed = (text or "").strip()
    if len(trimmed) > CAPTION:
        raise bad("message caption is too long")
    return trimmed


def keyboard(markup: Any, *, private: bool) -> dict[str, Any] | None:
    """An inline keyboard; None for none.

    Args:
        markup: What the bot gave.
        private: Whether it is for a private chat: only there may a button open a Mini App.

    Raises:
        RefusedError: As Telegram would.
    """
    if markup is None:
        return None
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    if not isinstance(rows, list):
        raise bad("object expected as reply markup")
    kept = [row for row in rows if row]
    if sum(len(row) for row in kept) > BUTTONS or any(len(row) > BUTTONS_IN_ROW for row in kept):
        raise bad("reply markup is too long")
    for row in kept:
        for button in row:
            _button(button, private=private)
    return {"inline_keyboard": kept} if kept else None


def _button(button: Any, *, private: bool) -> None:
    if not isinstance(button, dict) or not str(button.get("text", "")).strip():
        raise bad("text buttons are unallowed in the inline keyboard")
    actions = [name for name in _ACTIONS if name in button]
    if len(actions) != 1:
        raise bad("text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= CALLBACK_DATA:
        raise bad("BUTTON_DATA_INVALID")
    if "url" in button and urlsplit(str(button["url"])).scheme not in ("http", "https", "tg"):
        raise bad("BUTTON_URL_INVALID")
    if "web_app" in button:
        if not private:
            raise bad("BUTTON_TYPE_INVALID")
        web_app_url(button["web_app"])


def web_app_url(web_app: Any) -> str:
    """A Mini App's address: https; plain http only on this very machine, where no certificate can be had."""
    url = str(web_app.get("url", "")) if isinstance(web_app, dict) else ""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return url
    raise bad(f"inline keyboard button Web App URL '{url}' is invalid: only HTTPS links are allowed")


def commands(given: Any) -> list[dict[str, str]]:
    """The commands of setMyCommands."""
    if not isinstance(given, list) or len(given) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH" if isinstance(given, list) else "can't parse list of bot commands")
    for command in given:
        if not isinstance(command, dict) or not _COMMAND_NAME.fullmatch(str(command.get("command", ""))):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return given
