"""A stand-in for Telegram: the Bot API methods that the bot uses, as strict as Telegram, and a chat in the browser.

The bot runs against it unchanged, through TELEGRAM_API_URL; so do the tests. `telegram.py` holds what Telegram
remembers (chats, messages, files, updates), `methods.py` what a bot may ask of it, `person.py` what a person may do,
and `page.py` puts a person's side into the browser.
"""

from bot.playground.page import add_playground
from bot.playground.person import Person
from bot.playground.server import TelegramServer
from bot.playground.telegram import Telegram

__all__ = ["Person", "Telegram", "TelegramServer", "add_playground"]
