"""The bot with the workflow version that the release before this one had."""

from __future__ import annotations

from unittest import mock

from bot import cli
from bot.edits.workflow import queue

if __name__ == "__main__":
    with mock.patch.object(queue, "WORKFLOW_VERSION", "2"):
        raise SystemExit(cli.main())
