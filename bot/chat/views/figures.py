"""Words the figures of /stats, in one message that fits on a phone's screen."""

from __future__ import annotations

from collections.abc import Iterable

from bot.edits.records.statistics import WINDOWS, Figures, Windows
from bot.texts import Texts

MAX_FAILURES = 6
"""Kinds of failures that are shown; the others are added up."""


def figures_text(texts: Texts, language: str, figures: Figures, price_per_call: float) -> str:
    """The text.

    Args:
        texts: The catalogues.
        language: Language of the text.
        figures: The figures.
        price_per_call: What a successful call of the cloud costs; 0: not known, and no cost is shown.
    """
    lines = [
        texts.get(language, "stats-head", people=_row(figures.people)),
        texts.get(language, "stats-done", counts=_row(_sum(figures.done.values()))),
        *(f"· {name}: {_row(counts)}" for name, counts in figures.done.items()),
    ]
    if any(seconds is not None for seconds in figures.median):
        times = {"median": _times(figures.median), "slow": _times(figures.slow)}
        lines.append(texts.get(language, "stats-times", **times))
    lines.append(texts.get(language, "stats-failed", counts=_row(_sum(figures.failed.values()))))
    failures = list(figures.failed.items())
    lines += [f"· {name}: {_row(counts)}" for name, counts in failures[:MAX_FAILURES]]
    if failures[MAX_FAILURES:]:
        others = _sum(counts for _, counts in failures[MAX_FAILURES:])
        lines.append(f"· {texts.get(language, 'stats-others')}: {_row(others)}")
    lines += _calls(texts, language, figures, price_per_call)
    lines.append(texts.get(language, "stats-queue", waiting=figures.waiting, running=figures.running))
    return "\n".join(lines)


def _calls(texts: Texts, language: str, figures: Figures, price_per_call: float) -> list[str]:
    abilities = sorted({*figures.calls, *figures.failed_calls})
    if not abilities:
        return []
    nothing = (0,) * len(WINDOWS)
    lines = [texts.get(language, "stats-calls")]
    for ability in abilities:
        lines.append(f"· {ability}: {_row(figures.calls.get(ability, nothing))}")
        if ability in figures.failed_calls:
            failed = _row(figures.failed_calls[ability])
            lines.append(f"· {ability}, {texts.get(language, 'stats-failed-calls')}: {failed}")
    if price_per_call:
        cost = " / ".join(f"{count * price_per_call:,.2f}" for count in _sum(figures.calls.values()))
        lines.append(texts.get(language, "stats-cost", cost=cost))
    return lines


def _sum(all_counts: Iterable[Windows]) -> Windows:
    return tuple(sum(counts) for counts in zip(*all_counts, strict=True)) or (0,) * len(WINDOWS)


def _row(counts: Windows) -> str:
    return " / ".join(f"{count:,}" for count in counts)


def _times(seconds: Iterable[float | None]) -> str:
    return " / ".join("–" if value is None else f"{value:.1f}" if value < 10 else f"{value:.0f}" for value in seconds)
