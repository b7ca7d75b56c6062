"""The whole canvas in Firefox, driven by its own driver; skipped where it is not installed."""

from __future__ import annotations

import pytest

from tests.page.engines import flow
from tests.page.engines.app import EngineApp

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENGINE = "firefox"
"""A module for each engine, so that they run side by side."""


async def test_paint_tap_erase_undo_a_round_and_done(app: EngineApp) -> None:
    await flow.paint_erase_undo_a_round_and_done(app)


async def test_what_was_painted_on_a_large_photo_survives_a_reload(app: EngineApp) -> None:
    await flow.a_large_photo_after_a_reload(app)


async def test_the_photo_is_painted_by_keyboard(app: EngineApp) -> None:
    await flow.paint_and_lasso_by_keyboard(app)
