"""From Telegram to the handlers: receiving updates, checking them, and whose they are."""
