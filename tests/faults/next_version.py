"""The bot as its next version will be: with another shape of workflow, under which DBOS finds none of today's."""

from __future__ import annotations

from unittest import mock

from bot import cli
from bot.edits import queue

if __name__ == "__main__":
    with mock.patch.object(queue, "WORKFLOW_VERSION", "next"):
        raise SystemExit(cli.main())
