"""What pixel processes import before their first job. It imports nothing itself, so that they can start at once."""

PRELOAD = ("bot.edits.pictures.pixels", "bot.engines.local", "onnxruntime")
