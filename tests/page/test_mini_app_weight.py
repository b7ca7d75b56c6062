"""What the Mini App costs to load."""

from __future__ import annotations

import gzip
from pathlib import Path

import webapp

MAX_WEIGHT = 40_000
"""Bytes of all that the page loads from us, compressed."""


def test_the_page_is_light() -> None:
    files = [path for path in (Path(webapp.__file__).parent / "static").rglob("*") if path.is_file()]
    weights = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in files}
    assert {"index.html", "main.js", "app.css"} <= weights.keys()
    assert sum(weights.values()) <= MAX_WEIGHT, weights
