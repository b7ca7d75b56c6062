"""The bot with an engine that does nothing and without Telegram's flood limits, in a separate process."""

from __future__ import annotations

from typing import Any
from unittest import mock

from bot import cli, wiring
from bot.chat.api.flood_limiter import FloodLimiter
from tests.benchmarks.overhead import _engines


def _unlimited(**options: Any) -> FloodLimiter:
    return FloodLimiter(overall=10_000, per_chat=1_000, **options)


if __name__ == "__main__":
    with (
        mock.patch.object(wiring, "engines", _engines),
        mock.patch.object(wiring, "FloodLimiter", _unlimited),
    ):
        raise SystemExit(cli.main())
