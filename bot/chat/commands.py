"""Commands: how they are recognised in texts and captions, and how Telegram's menu learns of them."""

from __future__ import annotations

import re

from telegram import Bot, BotCommand, Message, MessageEntity
from telegram.ext.filters import MessageFilter

from bot.chat.texts import LANGUAGES, Texts
from bot.edits.model import Operation

MENU = ("remove_subject", "remove_background", "erase", "help", "delete_my_data")
"""What Telegram's menu lists, in this order, in each language."""

NAMES = {"start", *MENU}

_COMMAND = re.compile(r"/(?P<name>[A-Za-z0-9_]{1,32})(?:@(?P<bot>[A-Za-z0-9_]+))?(?P<rest>\s.*)?\Z", re.DOTALL)


def command_in(message: Message) -> tuple[str, str] | None:
    """The command that a text or caption begins with, and the words behind it; None where there is none for us.

    ``/cmd@otherbot`` is not for us. python-telegram-bot's CommandHandler knows no captions (facts/telegram.md), so both
    are recognised here alike.
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
        """Whether it does."""
        found = command_in(message)
        return found is not None and found[0] in self._names


def operation_of(message: Message) -> Operation | None:
    """The operation that the message's command names, if it names one."""
    found = command_in(message)
    return Operation(found[0]) if found and found[0] in set(Operation) else None


async def register(bot: Bot, texts: Texts, default: str) -> None:
    """Tell Telegram the commands and what the bot is, in each language; people of other languages get the default."""
    for code in ("", *LANGUAGES):
        language = code or default
        commands = [BotCommand(name, texts.get(language, f"command-{name}")) for name in MENU]
        await bot.set_my_commands(commands, language_code=code or None)
        await bot.set_my_short_description(texts.get(language, "about"), language_code=code or None)
