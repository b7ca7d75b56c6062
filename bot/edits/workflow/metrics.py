"""What Prometheus learns of edits."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

EDITS = Counter(
    "bot_edits_total", "Edits that ended, by operation, engine and outcome.", ["operation", "engine", "outcome"]
)
SECONDS = Histogram(
    "bot_edit_seconds",
    "From the request to the answer.",
    ["operation"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300),
)
