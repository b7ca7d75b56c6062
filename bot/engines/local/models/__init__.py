"""Learned models: optional files above the classical floor.

`registry` says what each model is, `fetch` downloads and checks the files, `files` tells which are there and sound,
`segment` and `fill` speak each model's contract. How a model runs is `bot.engines.local.sessions`. Nothing here is
needed: a file that is missing, broken or of another shape makes the caller fall to the next rung.
"""

from __future__ import annotations

from bot.engines.local.models.fetch import download
from bot.engines.local.models.files import available
from bot.engines.local.models.fill import learned_fill
from bot.engines.local.models.registry import DEFAULT, MODELS, Model
from bot.engines.local.models.segment import learned_matte

__all__ = ["DEFAULT", "MODELS", "Model", "available", "download", "learned_fill", "learned_matte"]
