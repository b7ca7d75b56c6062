"""All that a person sees in Telegram: intake, handlers, keyboards, the status message, delivery, texts.

`application.py` lists every handler in order. Handlers only record what is asked for; the work is done by `edits`,
which calls back through the `courier`.
"""
