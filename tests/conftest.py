"""Fixtures for tests of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.models.files import SETUP_FOLDER, is_intact
from bot.models.registry import MODELS

SEGMENTER = MODELS["u2netp"]
"""As published; a test may put a tiny graph in its place in the registry."""


@pytest.fixture(scope="session")
def segmenter_folder() -> Path:
    """A models folder with the real learned segmenter, as set-up brought it; read-only by agreement.

    A test that uses it is skipped where set-up could not bring the file.
    """
    if not is_intact(SEGMENTER, SETUP_FOLDER / SEGMENTER.file):
        pytest.skip(f"set-up has not brought {SEGMENTER.file} into .models: run `make setup` with a network")
    return SETUP_FOLDER
