"""The log says that the database does not answer: at once, then once a minute, and when it is over."""

from __future__ import annotations

from structlog.testing import capture_logs

from bot.storage.outage import DOWN_SINCE, REPEAT_SECONDS, Outage


def test_an_outage_is_logged_at_once_then_once_a_minute_and_when_it_ends() -> None:
    now = [100.0]
    outage = Outage("bot at db:5432", clock=lambda: now[0])
    assert (outage.seconds, outage.warning()) == (None, None)
    with capture_logs() as entries:
        outage.ended()
        for _ in range(150):  # a try every second
            outage.failed("OperationalError")
            now[0] += 1
        assert outage.warning() == "the database has not answered for 150 s"
        assert DOWN_SINCE._value.get() > 0
        outage.ended()
        outage.ended()
    assert [(entry["event"], entry["seconds"]) for entry in entries] == [
        ("database_does_not_answer", 0),
        ("database_does_not_answer", REPEAT_SECONDS),
        ("database_does_not_answer", 2 * REPEAT_SECONDS),
        ("database_answers_again", 150),
    ]
    assert all(entry["database"] == "bot at db:5432" for entry in entries)
    assert (outage.seconds, DOWN_SINCE._value.get()) == (None, 0)


def test_the_next_outage_is_logged_at_once() -> None:
    now = [0.0]
    outage = Outage("bot at db:5432", clock=lambda: now[0])
    with capture_logs() as entries:
        for _ in range(2):
            outage.failed("OperationalError")
            outage.ended()
    assert [entry["event"] for entry in entries] == ["database_does_not_answer", "database_answers_again"] * 2
