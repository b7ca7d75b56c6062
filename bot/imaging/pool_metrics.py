"""What Prometheus learns of the pixel processes."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

RUNNING = Gauge("bot_pixel_jobs_running", "Pixel jobs that run now.")
WAITING = Gauge("bot_pixel_jobs_waiting", "Pixel jobs that wait for a process, or for the person's other job.")
SECONDS = Histogram(
    "bot_pixel_job_seconds",
    "Time of pixel jobs in their process, by function.",
    ["job"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60),
)
KILLED = Counter(
    "bot_pixel_processes_killed_total",
    "Pixel processes that ended in the middle of a job: too long, processor time, from outside, used up, crash.",
    ["reason"],
)
