"""`python -m bot doctor`: checks everything that the bot needs, and says what to do about what it finds.

`report` runs the checks and prints them; the other modules are the checks: of this machine, of Telegram, of the public
address, of the engines. A check changes nothing, and never shows a secret.
"""

from __future__ import annotations

from bot.doctor.finding import Finding, Level
from bot.doctor.report import findings, print_report, print_settings_error

__all__ = ["Finding", "Level", "findings", "print_report", "print_settings_error"]
