"""All that a person sees in Telegram: intake, handlers, keyboards, the status message, delivery, texts.

`application.py` lists every handler in order. Handlers only record what is asked for; the work is done by `edits`,
which calls back through the `courier`.
"""

from __future__ import annotations

import os

# python-telegram-bot's coming way of telling durations; its present one warns at every use.
os.environ.setdefault("PTB_TIMEDELTA", "true")
