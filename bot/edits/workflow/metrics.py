"""What Prometheus learns of edits."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from bot.edits.records.statistics import QueueDepth

EDITS = Counter(
    "bot_edits_total", "Edits that ended, by operation, engine and outcome.", ["operation", "engine", "outcome"]
)
SECONDS = Histogram(
    "bot_edit_seconds",
    "From the last thing that the person did for an edit to its answer.",
    ["operation"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300),
)
STEP_SECONDS = Histogram(
    "bot_edit_step_seconds",
    "Time of an edit's steps.",
    ["step"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300),
)
WAITING = Gauge("bot_queue_waiting", "Edits of all processes that wait in the queue.")
RUNNING = Gauge("bot_queue_running", "Edits of all processes that run.")
OLDEST = Gauge("bot_queue_oldest_seconds", "How long the oldest edit that waits has been waiting; 0: none waits.")


def show_queue(depth: QueueDepth) -> None:
    """Export the queue's state."""
    WAITING.set(depth.waiting)
    RUNNING.set(depth.running)
    OLDEST.set(depth.oldest)
