"""Set-ups that are broken in one way, each with the fix that the doctor's line names."""

from __future__ import annotations

from tests.cli.broken_address import CLOUD_AND_ADDRESS
from tests.cli.broken_machine import MACHINE
from tests.cli.broken_telegram import TELEGRAM

BROKEN = {**MACHINE, **TELEGRAM, **CLOUD_AND_ADDRESS}
"""All of them by their names."""
