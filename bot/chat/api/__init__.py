"""Access to the Bot API: transport, flood limits, posting exactly once, and Telegram's errors as the bot's own."""
