"""Everything that a person sees in Telegram: intake, handlers, keyboards, the status message, delivery.

`application.py` lists every handler in order. Handlers only record requests. `bot.edits` does the work and calls the
courier (`courier.py`), which posts status messages and delivers results. The texts are in `bot.texts`.
"""

from __future__ import annotations

import os

# Opts in to timedelta durations, python-telegram-bot's future default; each use of the present one warns.
os.environ.setdefault("PTB_TIMEDELTA", "true")
