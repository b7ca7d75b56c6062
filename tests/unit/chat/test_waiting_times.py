"""Waiting times in words: nothing up to five seconds, then rounded."""

from __future__ import annotations

import pytest

from bot.chat.views.waiting_times import with_waiting_time
from bot.texts import Texts


@pytest.mark.parametrize(
    ("seconds", "about"),
    [
        (5.1, "About 10 s."),
        (10.0, "About 10 s."),
        (11.0, "About 10 s."),
        (14.0, "About 20 s."),
        (22.0, "About 20 s."),
        (31.0, "About 30 s."),
        (52.0, "About 50 s."),
        (58.0, "About 1 min."),
        (66.0, "About 1 min."),
        (80.0, "About 2 min."),
        (170.0, "About 3 min."),
        (11 * 60.0, "About 10 min."),
        (14 * 60.0, "About 15 min."),
        (60 * 60.0, "About 55 min."),
        (66 * 60.0, "About 60 min."),
        (68 * 60.0, "Over an hour."),
    ],
)
def test_a_time_is_rounded_kindly(seconds: float, about: str) -> None:
    assert with_waiting_time(Texts(), "en", "⏳ On it…", seconds) == f"⏳ On it… {about}"


@pytest.mark.parametrize("seconds", [None, 0.0, 3.0, 5.0])
def test_of_a_short_or_unknown_wait_nothing_is_said(seconds: float | None) -> None:
    assert with_waiting_time(Texts(), "en", "⏳ On it…", seconds) == "⏳ On it…"


def test_it_is_said_in_chinese() -> None:
    assert with_waiting_time(Texts(), "zh", "⏳ 马上开始…", 21.0) == "⏳ 马上开始… 大约 20 秒后完成。"
