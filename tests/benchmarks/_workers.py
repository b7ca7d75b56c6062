"""Processes that measure quality side by side: what is timed runs alone, in the main process."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import structlog

MOST = 4
"""Each holds a learned segmenter (0.4 GB)."""


def quiet() -> None:
    """Keep logs and what peers print out of the tables."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.stdout = sys.stderr


@contextmanager
def workers() -> Iterator[ProcessPoolExecutor]:
    """As many processes as there are cores, MOST at most."""
    count = min(MOST, os.cpu_count() or 1)
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=quiet) as pool:
        yield pool
