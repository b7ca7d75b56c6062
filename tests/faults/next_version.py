"""The bot with another workflow version: DBOS does not resume the workflows of the current version."""

from __future__ import annotations

from unittest import mock

from bot import cli
from bot.edits.workflow import queue

if __name__ == "__main__":
    with mock.patch.object(queue, "WORKFLOW_VERSION", "next"):
        raise SystemExit(cli.main())
