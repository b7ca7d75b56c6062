"""The size of the Mini App's files."""

from __future__ import annotations

import gzip
from pathlib import Path

import webapp

MAX_WEIGHT = 40_000
"""Compressed bytes of all files that the page loads from the bot's server."""


def test_the_compressed_page_stays_below_its_limit() -> None:
    files = [path for path in (Path(webapp.__file__).parent / "static").rglob("*") if path.is_file()]
    weights = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in files}
    assert {"index.html", "main.js", "app.css"} <= weights.keys()
    assert sum(weights.values()) <= MAX_WEIGHT, weights
