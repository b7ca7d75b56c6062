"""What an edit is and how it is done: model, store, editor, workflow. Knows no Telegram and no HTTP.

The ports that an edit needs from the outside are in `ports.py`; the door for chat and Mini App is `service.py`.
"""
