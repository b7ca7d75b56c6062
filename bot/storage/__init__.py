"""What the bot stores: the database (SQLite or PostgreSQL), its tables and migrations, and the file cache.

Also what several processes on one database share: heartbeats, the takeover of a dead process's edits, rate limits.
Knows no Telegram, no HTTP, and nothing about how an edit is done.
"""
