"""Fixtures for tests of every kind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.models.files import SETUP_FOLDER, is_intact
from bot.models.registry import MODELS

# A busy machine is no failure: examples have no deadline, and generating them may be slow.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
    os.environ.pop(variable, None)  # a test that asks for no language gets English, in whatever terminal it runs
os.environ["LANG"] = "C.UTF-8"

SEGMENTER = MODELS["u2netp"]
"""As published; a test may replace it in the registry by a tiny graph."""


@pytest.fixture(scope="session")
def segmenter_folder() -> Path:
    """A models folder with the real learned segmenter that set-up brought. Tests must not write to it.

    A test that uses it is skipped if set-up could not bring the file.
    """
    if not is_intact(SEGMENTER, SETUP_FOLDER / SEGMENTER.file):
        pytest.skip(f"set-up has not brought {SEGMENTER.file} into .models: run `make setup` with a network")
    return SETUP_FOLDER
