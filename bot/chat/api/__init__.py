"""The way to the Bot API: transport, flood limits, exactly-once posting, and Telegram's errors as the bot's own."""
