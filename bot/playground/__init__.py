"""The playground: a local Bot API server with the methods that the bot uses, and a chat page in the browser.

The bot and the tests use it through TELEGRAM_API_URL. It checks requests as strictly as Telegram does. `telegram.py`
holds the state (chats, messages, files, updates), `methods.py` the Bot API's methods, `person.py` the actions of a
person, and `page.py` the HTTP API of the chat page.
"""

from bot.playground.page import add_playground
from bot.playground.person import Person
from bot.playground.server import TelegramServer
from bot.playground.telegram import Telegram

__all__ = ["Person", "Telegram", "TelegramServer", "add_playground"]
