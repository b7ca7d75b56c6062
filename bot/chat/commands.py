"""Commands: recognised in texts and captions, and registered for Telegram's menu."""

from __future__ import annotations

import re
from collections.abc import Iterable

import structlog
from telegram import Bot, BotCommand, BotCommandScopeChat, Message, MessageEntity
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext.filters import MessageFilter

from bot.chat.meaning import background_named, edit_command, meaning_of_command, meaning_of_words
from bot.edits.model import EditCommand, Operation
from bot.texts import LANGUAGES, Texts

MENU = ("remove_subject", "remove_background", "erase", "settings", "language", "help", "privacy", "delete_my_data")
"""Commands in Telegram's menu, in this order."""

OPERATOR_MENU = ("stats", "announce", "ban", "unban")
"""Further commands in the menu of the admins' private chats."""

BUYER_MENU, SELLER_MENU = ("buy", "paysupport"), ("refund",)
"""Further commands where packs are sold: for everyone, and for the admins."""

log = structlog.get_logger()

_COMMAND = re.compile(r"/(?P<name>[A-Za-z0-9_]{1,32})(?:@(?P<bot>[A-Za-z0-9_]+))?(?P<rest>\s.*)?\Z", re.DOTALL)

_NAMES_A_BOT = re.compile(r"/[^\s@]*@(\w+)")


def command_in(message: Message) -> tuple[str, str] | None:
    """The command at the start of a text or caption, and the rest of the text; None if there is none for this bot.

    ``/cmd@otherbot`` is for another bot. python-telegram-bot's CommandHandler does not match captions, so both are
    parsed here (docs/telegram.md#commands-in-captions).
    """
    text = message.text if message.text is not None else message.caption
    entities = message.entities if message.text is not None else message.caption_entities
    if not text or not any(e.type == MessageEntity.BOT_COMMAND and e.offset == 0 for e in entities):
        return None
    found = _COMMAND.match(text)
    if not found or (found["bot"] and found["bot"].lower() != message.get_bot().username.lower()):
        return None
    return found["name"].lower(), (found["rest"] or "").strip()


class Command(MessageFilter):
    """Matches messages whose text or caption begins with one of these commands."""

    def __init__(self, *names: str) -> None:
        super().__init__(name=f"Command({', '.join(names)})")
        self._names = frozenset(names)

    def filter(self, message: Message) -> bool:
        """Whether the message begins with one."""
        found = command_in(message)
        return found is not None and found[0] in self._names


def names_this_bot(message: Message) -> bool:
    """Whether a message begins with a command for this bot by name: ``/cmd@thisbot``."""
    named = _NAMES_A_BOT.match(_text(message).strip())
    return named is not None and named[1].lower() == message.get_bot().username.lower()


def _text(message: Message) -> str:
    return message.text if message.text is not None else message.caption or ""


def edit_command_in(message: Message) -> EditCommand | None:
    """What a text or caption asks to do with a photo, however it says it; None if that is not plain.

    In a group people talk to each other and to other bots. There only the exact command counts, and a misspelt one that
    names this bot.
    """
    found = command_in(message)
    if found is not None and found[0] in set(Operation):
        return edit_command(Operation(found[0]), found[1], after_slash=True)
    text = _text(message).strip()
    if not names_this_bot(message) and (_NAMES_A_BOT.match(text) or message.chat.type != ChatType.PRIVATE):
        return None
    return meaning_of_command(text) if text.startswith("/") else meaning_of_words(text)


class AsksForEdit(MessageFilter):
    """Matches messages that ask to do something with a photo."""

    def filter(self, message: Message) -> bool:
        """Whether the message asks for it."""
        return edit_command_in(message) is not None


def background_in(message: Message) -> str | None:
    """The finish that a text consists of: a colour, or the name of a finish; None for all other texts."""
    return background_named(message.text or "")


class NamesBackground(MessageFilter):
    """Matches texts that only name a colour or a finish."""

    def filter(self, message: Message) -> bool:
        """Whether the message does."""
        return background_in(message) is not None


async def register_commands(
    bot: Bot, texts: Texts, default: str, admins: Iterable[int] = (), *, sells: bool = False
) -> None:
    """Register commands and the bot's short description in each language, and in the default one for all others.

    The menu of the admins' private chats has the operators' commands, too. `sells` adds those about payments.
    """
    menu = (*MENU, *BUYER_MENU) if sells else MENU
    operators = (*menu, *OPERATOR_MENU, *SELLER_MENU) if sells else (*menu, *OPERATOR_MENU)
    for admin in admins:
        if admin > 0:  # a group of admins is only notified
            await _register_for_admin(bot, texts, default, admin, operators)
    for code in ("", *LANGUAGES):
        await bot.set_my_commands(commands_in_menu(texts, code or default, sells=sells), language_code=code or None)
        await bot.set_my_short_description(texts.get(code or default, "about"), language_code=code or None)


def commands_in_menu(texts: Texts, language: str, *, sells: bool) -> list[BotCommand]:
    """The commands that everyone sees in Telegram's menu, in one language."""
    return _menu(texts, language, (*MENU, *BUYER_MENU) if sells else MENU)


async def _register_for_admin(bot: Bot, texts: Texts, default: str, admin: int, names: Iterable[str]) -> None:
    """Register an admin's menu. A failure is only logged: an admin may never have started the bot."""
    try:
        for code in ("", *LANGUAGES):
            commands = _menu(texts, code or default, names)
            await bot.set_my_commands(commands, scope=BotCommandScopeChat(admin), language_code=code or None)
    except TelegramError as error:
        log.info("admin_commands_not_registered", admin=admin, reason=error.message)


def _menu(texts: Texts, language: str, names: Iterable[str]) -> list[BotCommand]:
    return [BotCommand(name, texts.get(language, f"command-{name}")) for name in names]
