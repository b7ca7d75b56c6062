"""The log says that the database does not answer: at once, then once a minute, and when it is over."""

from __future__ import annotations

from structlog.testing import capture_logs

from bot.storage.outage import DOWN_SINCE, REPEAT_SECONDS, Outage


def test_an_outage_is_logged_at_once_then_once_a_minute_and_when_it_ends() -> None:
    now = [100.0]
    outage = Outage("bot at db:5432", clock=lambda: now[0])
    assert (outage.seconds, outage.warning()) == (None, None)
    with capture_logs() as entries:
        outage.answered()
        for _ in range(150):  # a try every second
            outage.failed(outage.begin(), "OperationalError")
            now[0] += 1
        assert outage.warning() == "the database has not answered for 150 s"
        assert DOWN_SINCE._value.get() > 0
        outage.answered()
        outage.answered()
    assert [(entry["event"], entry["seconds"]) for entry in entries] == [
        ("database_does_not_answer", 0),
        ("database_does_not_answer", REPEAT_SECONDS),
        ("database_does_not_answer", 2 * REPEAT_SECONDS),
        ("database_answers_again", 150),
    ]
    assert all(entry["database"] == "bot at db:5432" for entry in entries)
    assert (outage.seconds, DOWN_SINCE._value.get()) == (None, 0)


def test_outages_that_follow_each_other_are_logged_once_a_minute() -> None:
    now = [0.0]
    outage = Outage("bot at db:5432", clock=lambda: now[0])
    with capture_logs() as entries:
        for _ in range(90):  # one each second
            outage.failed(outage.begin(), "OperationalError")
            assert outage.warning() is not None
            outage.answered()
            now[0] += 1
    assert [entry["event"] for entry in entries] == ["database_does_not_answer", "database_answers_again"] * 2


def test_a_try_that_began_before_the_last_answer_says_nothing_new() -> None:
    now = [0.0]
    outage = Outage("bot at db:5432", clock=lambda: now[0])
    began = outage.begin()
    now[0] = 5.0
    outage.answered()
    outage.failed(began, "OperationalError")
    assert outage.seconds is None
